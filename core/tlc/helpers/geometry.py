"""Scenes in space: their bounds, and meshes from files."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.data_types.geometry import Geometry3D
from tlc.errors import AnnotationFileError
from tlc.url import Url

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

_GREY = (0.5, 0.5, 0.5)
_MIN_CORNERS = 3
_COLORS = ("red", "green", "blue")


class GeometryHelper:
    """Prepares `Geometry3D`."""

    @staticmethod
    def create_isotropic_bounds_3d(
        x_min: float,
        x_max: float,
        y_min: float,
        y_max: float,
        z_min: float,
        z_max: float,
        *,
        force_z_min: bool = True,
    ) -> tuple[float, float, float, float, float, float]:
        """Return bounds with the same length along each axis, the largest of those given.

        They have the same middle, but along z if `force_z_min` is true: there they begin at
        `z_min`, so that the ground stays where it is.

        Returns:
            ``(x_min, x_max, y_min, y_max, z_min, z_max)``.
        """
        half = max(x_max - x_min, y_max - y_min, z_max - z_min) / 2
        x, y = (x_min + x_max) / 2, (y_min + y_max) / 2
        z = z_min + half if force_z_min else (z_min + z_max) / 2
        return x - half, x + half, y - half, y + half, z - half, z + half

    @staticmethod
    def load_obj_geometry(
        path: str | os.PathLike[str],
        scale: float | Sequence[float] = 1.0,
        transform: Any = None,
        bounds: Mapping[str, float] | Sequence[float] | None = None,
    ) -> Geometry3D:
        """Return the mesh of a Wavefront OBJ file as one instance.

        Triangles have the extras ``red``, ``green`` and ``blue``, from 0 to 1: the diffuse colour
        of their material in the MTL file, or grey.

        Args:
            path: The file; it and its MTL files may lie at any url.
            scale: What coordinates are multiplied by first: one number, or one for each axis.
            transform: Matrix of shape (4, 4) that is applied then.
            bounds: Bounds of the scene, as a dictionary or as `create_isotropic_bounds_3d` returns
                them; those of the mesh if not given.

        Raises:
            UrlNotFoundError: There is no such file.
            AnnotationFileError: It is no OBJ file.
        """
        url = Url(path).to_absolute()
        vertices, triangles, colors = _read_obj(url)
        vertices = vertices * np.asarray(scale)
        if transform is not None:
            matrix = np.asarray(transform, np.float64)
            vertices = vertices @ matrix[:3, :3].T + matrix[:3, 3]
        geometry = Geometry3D.create_empty(**_bounds(bounds, vertices))
        extras: dict[str, Any] = dict(zip(_COLORS, colors.astype(np.float32).T, strict=True))
        geometry.add_instance(vertices=vertices, triangles=triangles, per_triangle_extras=extras)
        return geometry


def _bounds(given: Any, vertices: npt.NDArray[np.float64]) -> dict[str, float]:
    names = ("x_min", "x_max", "y_min", "y_max", "z_min", "z_max")
    if given is None and len(vertices):
        given = np.stack([vertices.min(axis=0), vertices.max(axis=0)], axis=1).reshape(-1)
    if given is None:
        return {}
    return (
        dict(given) if hasattr(given, "keys") else dict(zip(names, map(float, given), strict=True))
    )


def _read_obj(url: Url) -> tuple[Any, Any, Any]:
    """Return vertices, triangles and the colour of each triangle."""
    materials: dict[str, tuple[float, ...]] = {}
    vertices: list[list[float]] = []
    triangles: list[tuple[int, int, int]] = []
    colors: list[tuple[float, ...]] = []
    color: tuple[float, ...] = _GREY
    for number, line in enumerate(url.read_bytes().decode("utf-8", "replace").splitlines(), 1):
        word, _, rest = line.strip().partition(" ")
        try:
            if word == "v":
                vertices.append([float(part) for part in rest.split()[:3]])
            elif word == "mtllib":
                materials |= _read_materials(url.create_sibling(rest.strip()))
            elif word == "usemtl":
                color = materials.get(rest.strip(), _GREY)
            elif word == "f":
                found = _fan(rest, len(vertices))
                triangles += found
                colors += [color] * len(found)
        except (ValueError, IndexError) as error:
            raise AnnotationFileError(f"{url}, line {number}: {line!r}: {error}.") from error
    shape = (-1, 3)
    return (
        np.array(vertices, np.float64).reshape(shape),
        np.array(triangles, np.int32).reshape(shape),
        np.array(colors, np.float64).reshape(shape),
    )


def _fan(text: str, count: int) -> list[tuple[int, int, int]]:
    """Return the triangles of a face; numbers start from 1, or count back from the end."""
    numbers = [int(corner.partition("/")[0]) for corner in text.split()]
    corners = [number - 1 if number > 0 else count + number for number in numbers]
    if len(corners) < _MIN_CORNERS or not all(0 <= corner < count for corner in corners):
        raise ValueError("it names vertices that are not there")
    return [(corners[0], a, b) for a, b in pairwise(corners[1:])]


def _read_materials(url: Url) -> dict[str, tuple[float, ...]]:
    """Return the diffuse colour of each material."""
    found: dict[str, tuple[float, ...]] = {}
    name = ""
    for line in url.read_bytes().decode("utf-8", "replace").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "newmtl":
            name = rest.strip()
        elif word == "Kd":
            found[name] = tuple(float(part) for part in rest.split()[:3])
    return found
