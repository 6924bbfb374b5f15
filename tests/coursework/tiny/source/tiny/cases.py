"""Answers that grade the graders of the tiny assignment."""

CASES = {
    "ink_of": {
        "right": {
            "a loop": """def ink_of(image):
    running_total = 0
    for pixel_value in image.ravel().tolist():
        running_total += pixel_value
    return running_total""",
            "float64": """def ink_of(image):
    return float(image.sum(dtype=float))""",
        },
        "wrong": {
            "a constant": "def ink_of(image):\n    return 4",
            "overflow": "def ink_of(image):\n    return int(np.add.reduce(image.ravel(), dtype=np.uint8))",
            "one row": "def ink_of(image):\n    return int(image[0].sum()) * 2",
        },
    },
    "count_dark": {
        "right": {
            "a sum": "def count_dark(image, limit):\n    return sum(int(v > limit) for v in image.ravel())",
            "a method": "def count_dark(image, limit):\n    return (image > limit).sum()",
        },
        "wrong": {
            "at least": "def count_dark(image, limit):\n    return int((image >= limit).sum())",
            "below": "def count_dark(image, limit):\n    return int((image < limit).sum())",
            "a constant": "def count_dark(image, limit):\n    return 5",
        },
    },
    "most_ink": {
        "right": {
            "a loop": "def most_ink(images):\n    return max(range(len(images)), key=lambda i: images[i].astype(int).sum())",
            "reshape": "def most_ink(images):\n    return images.reshape(len(images), -1).sum(axis=1, dtype=float).argmax()",
        },
        "wrong": {
            "a constant": "def most_ink(images):\n    return 1",
            "the last": "def most_ink(images):\n    return len(images)",
            "least": "def most_ink(images):\n    return int(images.reshape(len(images), -1).sum(axis=1).argmin())",
        },
    },
    "middle_row": {
        "right": {
            "average": "def middle_row(image):\n    return np.average(np.arange(len(image)), weights=image.sum(axis=1))",
            "a loop": """def middle_row(image):
    return sum(i * row.sum() for i, row in enumerate(image)) / image.sum()""",
        },
        "wrong": {
            "a constant": "def middle_row(image):\n    return 1",
            "a little too far down": """def middle_row(image):
    return image.sum(axis=1) @ np.arange(len(image)) / image.sum() + 2e-6 * (len(image) == 3)""",
            "the middle": "def middle_row(image):\n    return len(image) / 2",
            "columns": "def middle_row(image):\n    return image.sum(axis=0) @ np.arange(image.shape[1]) / image.sum()",
        },
    },
}
