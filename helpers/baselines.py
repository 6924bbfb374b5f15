"""Digits put upright and in the middle, for methods that compare images pixel by pixel."""

import numpy as np
from scipy import ndimage

ROWS, COLUMNS = np.mgrid[:28, :28]


def deskew(image):
    """Shear one digit upright and put its centre of mass at the centre, by its moments (as LeCun et al. 1998 did).

    Parameters
    ----------
    image : (28, 28), any numeric dtype, 0 is paper

    Returns
    -------
    float32 (28, 28), in the range of the input; an image without ink comes back as it is
    """
    image = np.asarray(image, np.float32)
    ink = image.sum()
    if ink == 0:
        return image
    row, column = (ROWS * image).sum() / ink, (COLUMNS * image).sum() / ink
    spread = ((ROWS - row) ** 2 * image).sum()
    shear = ((ROWS - row) * (COLUMNS - column) * image).sum() / spread if spread else 0.0
    matrix = np.array([[1, 0], [shear, 1]])
    return ndimage.affine_transform(image, matrix, offset=[row, column] - matrix @ [13.5, 13.5], order=1)


def deskewed(images):
    """Deskew uint8 images (n, 28, 28); return float32 (n, 784) in 0..1, as ``helpers.data.prepare`` does."""
    return np.array([deskew(image) for image in images], np.float32).reshape(len(images), -1) / np.float32(255)
