"""What a course's seed changes in the assignment on preprocessing: the scans, their faults, and a few numbers."""

import numpy as np

BRANCH = 11  # keeps this assignment's random numbers apart from the others' of the same course
SCANS = 40  # on the delivered sheet
UPSIDE_DOWN = (3, 7)  # digits that nobody takes for another digit when they stand on their heads


def constants(seed):
    """Return the constants of the course with this seed: a dict of name to plain Python value."""
    rng = np.random.default_rng([seed, BRANCH])
    faulty = _places(rng)
    return {
        "MEGABYTES": int(rng.choice([150, 200, 256, 300, 512])),
        "FAINT": int(rng.choice([15, 31])),
        "SHARE": float(rng.choice([0.2, 0.25, 0.3])),
        "SPLIT_SEED": int(rng.integers(100)),
        "HIDDEN_SEED": int(rng.integers(1_000_000)),
        "UPSIDE_DOWN": " and ".join(str(place) for place in sorted(faulty["upside down"])),
    }


def data(seed):
    """Return what students load: a dict of arrays. Images are uint8 (n, 28, 28), labels int64 (n,).

    images, labels: 100 good scans of each digit, mixed. delivery, delivery_labels: the sheet of Task 2. typed_images,
    typed_labels: a batch in which two digits' labels are exchanged. off_centre: 30 scans that lie anywhere on the
    paper. archive, archive_labels: scans of which some come more than once.
    """
    rng = np.random.default_rng([seed, BRANCH, 1])
    pool, pool_labels = _sample()
    rows_of = [list(rng.permutation(np.flatnonzero(pool_labels == digit))) for digit in range(10)]

    def take(counts):
        """Images not taken before, counts[digit] of each digit, mixed; and their labels."""
        rows = [rows_of[digit].pop() for digit in range(10) for _ in range(counts[digit])]
        rows = rng.permutation(rows)
        return pool[rows], pool_labels[rows]

    images, labels = take([100] * 10)
    delivery, delivery_labels = _delivery(
        take, constants(seed)["FAINT"], _places(np.random.default_rng([seed, BRANCH]))
    )
    typed_images, typed_labels = take(rng.integers(30, 51, size=10))
    one, other = rng.choice(10, size=2, replace=False)
    exchanged = np.where(typed_labels == one, other, np.where(typed_labels == other, one, typed_labels))
    off_centre = np.stack([_moved(image, rng) for image in take([3] * 10)[0]])
    scans, scan_labels = take(rng.integers(40, 61, size=10))
    rows = rng.permutation(np.repeat(np.arange(len(scans)), rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1], size=len(scans))))
    return {
        "images": images,
        "labels": labels,
        "delivery": delivery,
        "delivery_labels": delivery_labels,
        "typed_images": typed_images,
        "typed_labels": exchanged,
        "off_centre": off_centre,
        "archive": scans[rows],
        "archive_labels": scan_labels[rows],
    }


def _sample():
    """All 5,000 images of the sample edition, uint8 (5000, 28, 28), and their labels, whichever edition is set."""
    import os
    from unittest import mock

    from helpers.data import load_mnist

    with mock.patch.dict(os.environ, DIGITS_EDITION="sample"):
        sample = load_mnist(quiet=True)
    return np.concatenate([sample.x_train, sample.x_test]), np.concatenate([sample.y_train, sample.y_test])


def _places(rng):
    """Which scans of the sheet have which fault: a dict of fault to row numbers."""
    places = rng.permutation(SCANS)
    return {
        "inverted": places[:6],
        "faint": places[6:12],
        "empty": places[12:16],
        "upside down": [int(place) for place in places[16:18]],
    }


def _delivery(take, faint, places):
    """The sheet: 40 images, some of them with a fault, and their labels."""
    delivery, labels = take([SCANS // 10] * 10)
    taken = {*places["empty"], *places["upside down"]}
    suitable = [place for place in range(SCANS) if labels[place] in UPSIDE_DOWN and place not in taken]
    # Bring digits that suit to the places that are turned: the order on the sheet has no other meaning.
    for place, donor in zip(places["upside down"], suitable, strict=False):
        delivery[[place, donor]], labels[[place, donor]] = delivery[[donor, place]], labels[[donor, place]]
        delivery[place] = delivery[place][::-1, ::-1]
    delivery[places["inverted"]] = 255 - delivery[places["inverted"]]
    delivery[places["faint"]] //= 256 // (faint + 1)
    for place, grey in zip(places["empty"], (0, 255, 0, faint), strict=True):
        delivery[place] = grey
    return delivery, labels


def _moved(image, rng):
    """The image somewhere else on its paper, with all of its ink and at least two pixels away in one direction."""
    while True:
        down, right = rng.integers(-5, 6, size=2)
        if max(abs(down), abs(right)) < 2:
            continue
        moved = np.roll(image, (down, right), axis=(0, 1))
        # Ink that went round the edge would make the box around it longer.
        if all(
            np.ptp(np.flatnonzero(moved.any(axis=axis))) == np.ptp(np.flatnonzero(image.any(axis=axis)))
            for axis in (0, 1)
        ):
            return moved
