"""Answers to the code tasks of ``evaluation`` that grade the graders: right ones written otherwise, wrong ones."""

CASES = {
    "most_confused": {
        "right": {
            "a dictionary and a loop": """
def most_confused(labels, answers):
    count = {}
    for label, answer in zip(labels, answers):
        if label != answer:
            pair = tuple(sorted((int(label), int(answer))))
            count[pair] = count.get(pair, 0) + 1
    best = max(count, key=count.get)
    return best[0], best[1], count[best]
""",
            "scikit-learn's confusion matrix": """
def most_confused(labels, answers):
    from sklearn.metrics import confusion_matrix

    C = confusion_matrix(labels, answers, labels=range(10)).astype(float)
    both = C + C.T
    np.fill_diagonal(both, -1)
    i, j = divmod(both.argmax(), 10)
    return np.array([min(i, j), max(i, j), both[i, j]])
""",
        },
        "wrong": {
            "one direction only": """
def most_confused(labels, answers):
    C = np.zeros((10, 10), dtype=int)
    for i, j in zip(labels, answers):
        C[i, j] += 1
    np.fill_diagonal(C, 0)
    i, j = np.unravel_index(C.argmax(), C.shape)
    return min(i, j), max(i, j), C[i, j]
""",
            "the diagonal counts": """
def most_confused(labels, answers):
    C = np.zeros((10, 10), dtype=int)
    for i, j in zip(labels, answers):
        C[i, j] += 1
    C = C + C.T
    i, j = np.unravel_index(C.argmax(), C.shape)
    return min(i, j), max(i, j), C[i, j]
""",
            "C[labels, answers] += 1, which counts repeated places once": """
def most_confused(labels, answers):
    C = np.zeros((10, 10), dtype=int)
    C[labels, answers] += 1
    C = np.triu(C + C.T, 1)
    i, j = np.unravel_index(C.argmax(), C.shape)
    return i, j, C[i, j]
""",
            "the strongest direction, then both counted": """
def most_confused(labels, answers):
    C = np.zeros((10, 10), dtype=int)
    np.add.at(C, (labels, answers), 1)
    np.fill_diagonal(C, 0)
    i, j = np.unravel_index(C.argmax(), C.shape)
    return min(i, j), max(i, j), C[i, j] + C[j, i]
""",
            "the visible result": """
def most_confused(labels, answers):
    return 4, 9, 3
""",
            "larger digit first": """
def most_confused(labels, answers):
    C = np.zeros((10, 10), dtype=int)
    np.add.at(C, (labels, answers), 1)
    C = np.tril(C + C.T, -1)
    i, j = np.unravel_index(C.argmax(), C.shape)
    return i, j, C[i, j]
""",
            "the pair with the strongest single direction, counted in both": """
def most_confused(labels, answers):
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (answers, labels), 1)
    np.fill_diagonal(counts, 0)
    low, high = sorted(np.unravel_index(counts.argmax(), counts.shape))
    return int(low), int(high), int(counts[low, high] + counts[high, low])
""",
            "the largest count, but the pair of the strongest direction": """
def most_confused(labels, answers):
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (answers, labels), 1)
    np.fill_diagonal(counts, 0)
    low, high = sorted(np.unravel_index(counts.argmax(), counts.shape))
    return int(low), int(high), int((counts + counts.T).max())
""",
        },
    },
    "precision_at": {
        "right": {
            "a thought experiment with a million parcels": """
def precision_at(labels, answers, digit, prevalence):
    tp = fn = fp = tn = 0
    for y, a in zip(labels, answers):
        if y == digit and a == digit:
            tp += 1
        elif y == digit:
            fn += 1
        elif a == digit:
            fp += 1
        else:
            tn += 1
    parcels = 1_000_000
    fragile = parcels * prevalence
    true_alarms = fragile * tp / (tp + fn)
    false_alarms = (parcels - fragile) * fp / (fp + tn)
    return true_alarms / (true_alarms + false_alarms)
""",
            "weights for the images, scikit-learn": """
def precision_at(labels, answers, digit, prevalence):
    from sklearn.metrics import precision_score

    is_digit = labels == digit
    weights = np.where(is_digit, prevalence / is_digit.mean(), (1 - prevalence) / (1 - is_digit.mean()))
    return precision_score(is_digit, answers == digit, sample_weight=weights)
""",
        },
        "wrong": {
            "precision on the test set": """
def precision_at(labels, answers, digit, prevalence):
    return np.mean(labels[answers == digit] == digit)
""",
            "recall times prevalence": """
def precision_at(labels, answers, digit, prevalence):
    return np.mean(answers[labels == digit] == digit) * prevalence
""",
            "false alarms not weighted": """
def precision_at(labels, answers, digit, prevalence):
    r = np.mean(answers[labels == digit] == digit)
    f = np.mean(answers[labels != digit] == digit)
    return prevalence * r / (prevalence * r + f)
""",
            "one minus precision taken for the false alarm rate": """
def precision_at(labels, answers, digit, prevalence):
    r = np.mean(answers[labels == digit] == digit)
    f = np.mean(labels[answers == digit] != digit)
    return prevalence * r / (prevalence * r + (1 - prevalence) * f)
""",
            "false alarms as a share of all images": """
def precision_at(labels, answers, digit, prevalence):
    r = np.mean((answers == digit) & (labels == digit))
    f = np.mean((answers == digit) & (labels != digit))
    return prevalence * r / (prevalence * r + (1 - prevalence) * f)
""",
            "prevalence and its complement exchanged": """
def precision_at(labels, answers, digit, prevalence):
    r = np.mean(answers[labels == digit] == digit)
    f = np.mean(answers[labels != digit] == digit)
    return (1 - prevalence) * r / ((1 - prevalence) * r + prevalence * f)
""",
            "a tiny number against a division by no alarms": """
def precision_at(labels, answers, digit, prevalence):
    recall = np.mean(answers[labels == digit] == digit)
    false_alarms = np.mean(answers[labels != digit] == digit)
    return prevalence * recall / (prevalence * recall + (1 - prevalence) * false_alarms + 1e-9)
""",
            "both shares rounded to seven decimals": """
def precision_at(labels, answers, digit, prevalence):
    recall = np.round(np.mean(answers[labels == digit] == digit), 7)
    false_alarms = np.round(np.mean(answers[labels != digit] == digit), 7)
    return prevalence * recall / (prevalence * recall + (1 - prevalence) * false_alarms)
""",
        },
    },
    "bootstrap_interval": {
        "right": {
            "choice with replacement, percentiles": """
def bootstrap_interval(y, said, f, level, draws, rng):
    values = np.empty(draws)
    for i in range(draws):
        rows = rng.choice(len(y), size=len(y), replace=True)
        values[i] = f(y[rows], said[rows])
    tail = 50 * (1 - level)
    return np.percentile(values, tail), np.percentile(values, 100 - tail)
""",
            "all rows drawn at once, sorted results": """
def bootstrap_interval(labels, answers, measure, level, draws, rng):
    n = len(labels)
    pairs = np.stack([labels, answers], axis=1)
    results = sorted(measure(*pairs[rows].T) for rows in (rng.random((draws, n)) * n).astype(int))
    cut = int(round(draws * (1 - level) / 2))
    return [results[cut], results[-1 - cut]]
""",
        },
        "wrong": {
            "labels and answers drawn apart": """
def bootstrap_interval(labels, answers, measure, level, draws, rng):
    n = len(labels)
    results = [measure(labels[rng.integers(n, size=n)], answers[rng.integers(n, size=n)]) for _ in range(draws)]
    return tuple(np.quantile(results, [(1 - level) / 2, (1 + level) / 2]))
""",
            "without replacement": """
def bootstrap_interval(labels, answers, measure, level, draws, rng):
    results = []
    for _ in range(draws):
        rows = rng.permutation(len(labels))
        results.append(measure(labels[rows], answers[rows]))
    return tuple(np.quantile(results, [(1 - level) / 2, (1 + level) / 2]))
""",
            "all that is left out on either side": """
def bootstrap_interval(labels, answers, measure, level, draws, rng):
    results = []
    for _ in range(draws):
        rows = rng.integers(len(labels), size=len(labels))
        results.append(measure(labels[rows], answers[rows]))
    return tuple(np.quantile(results, [1 - level, level]))
""",
            "the smallest and the largest result": """
def bootstrap_interval(labels, answers, measure, level, draws, rng):
    results = []
    for _ in range(draws):
        rows = rng.integers(len(labels), size=len(labels))
        results.append(measure(labels[rows], answers[rows]))
    return min(results), max(results)
""",
            "always 95 in a hundred": """
def bootstrap_interval(labels, answers, measure, level, draws, rng):
    results = []
    for _ in range(draws):
        rows = rng.integers(len(labels), size=len(labels))
        results.append(measure(labels[rows], answers[rows]))
    return tuple(np.quantile(results, [0.025, 0.975]))
""",
            "divided by the root of n once more": """
def bootstrap_interval(labels, answers, measure, level, draws, rng):
    results = []
    for _ in range(draws):
        rows = rng.integers(len(labels), size=len(labels))
        results.append(measure(labels[rows], answers[rows]))
    middle, error = np.mean(results), np.std(results) / np.sqrt(draws)
    return middle - 2 * error, middle + 2 * error
""",
            "half of the images": """
def bootstrap_interval(labels, answers, measure, level, draws, rng):
    results = []
    for _ in range(draws):
        rows = rng.integers(len(labels), size=len(labels) // 2)
        results.append(measure(labels[rows], answers[rows]))
    return tuple(np.quantile(results, [(1 - level) / 2, (1 + level) / 2]))
""",
            "accuracy, whatever the measure": """
def bootstrap_interval(labels, answers, measure, level, draws, rng):
    results = []
    for _ in range(draws):
        rows = rng.integers(len(labels), size=len(labels))
        results.append(np.mean(labels[rows] == answers[rows]))
    return tuple(np.quantile(results, [(1 - level) / 2, (1 + level) / 2]))
""",
            "a generator of its own": """
def bootstrap_interval(labels, answers, measure, level, draws, rng):
    n, rng = len(labels), np.random.default_rng(0)
    results = []
    for _ in range(draws):
        chosen = rng.integers(n, size=n)
        results.append(measure(labels[chosen], answers[chosen]))
    low, high = np.quantile(results, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
""",
            "never draws the last image": """
def bootstrap_interval(labels, answers, measure, level, draws, rng):
    n = len(labels)
    results = []
    for _ in range(draws):
        chosen = rng.integers(n - 1, size=n)
        results.append(measure(labels[chosen], answers[chosen]))
    low, high = np.quantile(results, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
""",
            "always 90 in a hundred": """
def bootstrap_interval(labels, answers, measure, level, draws, rng):
    n = len(labels)
    results = []
    for _ in range(draws):
        chosen = rng.integers(n, size=n)
        results.append(measure(labels[chosen], answers[chosen]))
    low, high = np.quantile(results, [0.05, 0.95])
    return float(low), float(high)
""",
            "draws, and then Wilson's formula": """
def bootstrap_interval(labels, answers, measure, level, draws, rng):
    from scipy import stats

    for _ in range(draws):
        r = rng.integers(0, len(labels), len(labels))
        measure(labels[r], answers[r])
    p, n, z = np.mean(labels == answers), len(labels), stats.norm.ppf((1 + level) / 2)
    c, h = (p + z * z / 2 / n), z * np.sqrt(p * (1 - p) / n + z * z / 4 / n / n)
    return (c - h) / (1 + z * z / n), (c + h) / (1 + z * z / n)
""",
            "draws half of the test sets, and each twice": """
def bootstrap_interval(labels, answers, measure, level, draws, rng):
    n = len(labels)
    sets = [rng.integers(n, size=n) for _ in range(-(-draws // 2))]
    results = [measure(labels[chosen], answers[chosen]) for chosen in (sets * 2)[:draws]]
    low, high = np.quantile(results, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
""",
        },
    },
    "leaked": {
        "right": {
            "two loops": """
def leaked(train, test, tolerance):
    found = []
    known = train.astype(int)
    for image in test.astype(int):
        hit = False
        for one in known:
            if np.max(np.abs(one - image)) <= tolerance:
                hit = True
                break
        found.append(hit)
    return found
""",
            "SciPy's Chebyshev distance": """
def leaked(train, test, tolerance):
    from scipy.spatial.distance import cdist

    d = cdist(test.reshape(len(test), -1).astype(float), train.reshape(len(train), -1).astype(float), "chebyshev")
    return d.min(axis=1) <= tolerance
""",
            "maximum minus minimum, in uint8": """
def leaked(train, test, tolerance):
    out = np.zeros(len(test), dtype=int)
    for i in range(len(test)):
        gap = np.maximum(train, test[i]) - np.minimum(train, test[i])
        out[i] = np.any(np.all(gap <= tolerance, axis=(1, 2)))
    return out
""",
        },
        "wrong": {
            "differences in uint8": """
def leaked(train, test, tolerance):
    return np.array([(np.abs(train - image).max(axis=(1, 2)) <= tolerance).any() for image in test])
""",
            "exact copies only": """
def leaked(train, test, tolerance):
    known = {image.tobytes() for image in train}
    return np.array([image.tobytes() in known for image in test])
""",
            "the mean difference": """
def leaked(train, test, tolerance):
    wide = train.astype(int)
    return np.array([(np.abs(wide - image).mean(axis=(1, 2)) <= tolerance).any() for image in test.astype(int)])
""",
            "without the absolute value": """
def leaked(train, test, tolerance):
    wide = train.astype(int)
    return np.array([((wide - image).max(axis=(1, 2)) <= tolerance).any() for image in test.astype(int)])
""",
            "the training images": """
def leaked(train, test, tolerance):
    wide = test.astype(int)
    return np.array([(np.abs(wide - image).max(axis=(1, 2)) <= tolerance).any() for image in train.astype(int)])
""",
            "smaller instead of at most": """
def leaked(train, test, tolerance):
    wide = train.astype(int)
    return np.array([(np.abs(wide - image).max(axis=(1, 2)) < tolerance).any() for image in test.astype(int)])
""",
            "same place in both sets": """
def leaked(train, test, tolerance):
    n = min(len(train), len(test))
    out = np.zeros(len(test), dtype=bool)
    out[:n] = np.abs(train[:n].astype(int) - test[:n].astype(int)).max(axis=(1, 2)) <= tolerance
    return out
""",
            "a quick look at the mean first, with a limit of its own": """
def leaked(train, test, tolerance):
    wide = train.astype(int)
    result = []
    for image in test.astype(int):
        near = wide[np.abs(wide.mean(axis=(1, 2)) - image.mean()) < 5]
        result.append(bool((np.abs(near - image).max(axis=(1, 2), initial=0) <= tolerance).any()))
    return np.array(result)
""",
            "only the left quarter, to be quick": """
def leaked(train, test, tolerance):
    wide = train.astype(int)[:, :, :7]
    return np.array([(np.abs(wide - image).max(axis=(1, 2)) <= tolerance).any() for image in test.astype(int)[:, :, :7]])
""",
        },
    },
    "threshold_for": {
        "right": {
            "sorted once, with cumulative sums": """
def threshold_for(confidence, right, wanted):
    order = np.argsort(-confidence, kind="stable")
    c = confidence[order]
    error = np.cumsum(~right[order]) / np.arange(1, len(c) + 1)
    last_of_equals = np.append(c[1:] != c[:-1], True)
    fine = np.flatnonzero((error <= wanted) & last_of_equals)
    return c[fine[-1]] if len(fine) else np.inf
""",
            "one minus the accuracy, which rounds otherwise": """
def threshold_for(confidence, right, wanted):
    fine = [t for t in set(confidence.tolist()) if 1 - right[confidence >= t].mean() <= wanted]
    return min(fine, default=np.inf)
""",
            "from the top, remembering the last that keeps the promise": """
def threshold_for(confidence, right, wanted):
    answer = float("inf")
    for t in sorted(set(confidence), reverse=True):
        accepted = [bool(r) for c, r in zip(confidence, right) if c >= t]
        if accepted.count(False) / len(accepted) <= wanted:
            answer = t
    return answer
""",
        },
        "wrong": {
            "stops at the first threshold that fails": """
def threshold_for(confidence, right, wanted):
    best = np.inf
    for t in np.unique(confidence)[::-1]:
        if np.mean(~right[confidence >= t]) > wanted:
            break
        best = t
    return best
""",
            "the largest threshold": """
def threshold_for(confidence, right, wanted):
    for t in np.unique(confidence)[::-1]:
        if np.mean(~right[confidence >= t]) <= wanted:
            return t
    return np.inf
""",
            "a share of all images": """
def threshold_for(confidence, right, wanted):
    for t in np.unique(confidence):
        if np.sum(~right & (confidence >= t)) / len(right) <= wanted:
            return t
    return np.inf
""",
            "larger instead of at least": """
def threshold_for(confidence, right, wanted):
    for t in np.unique(confidence):
        kept = confidence > t
        if kept.any() and np.mean(~right[kept]) <= wanted:
            return t
    return np.inf
""",
            "equal confidences torn apart": """
def threshold_for(confidence, right, wanted):
    order = np.argsort(-confidence, kind="stable")
    error = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    fine = np.flatnonzero(error <= wanted)
    return confidence[order][fine[-1]] if len(fine) else np.inf
""",
            "the confidence itself as promise": """
def threshold_for(confidence, right, wanted):
    return 1 - wanted
""",
            "accuracy instead of error": """
def threshold_for(confidence, right, wanted):
    for t in np.unique(confidence):
        if np.mean(right[confidence >= t]) <= wanted:
            return t
    return np.inf
""",
        },
    },
    "swap_test": {
        "right": {
            "a loop over the images, lists": """
def swap_test(labels, answers_a, answers_b, measure, games, rng):
    d = measure(labels, answers_a) - measure(labels, answers_b)
    count = 1
    for _ in range(games):
        one, two = [], []
        for a, b, coin in zip(answers_a, answers_b, rng.integers(0, 2, len(labels))):
            one.append(b if coin else a)
            two.append(a if coin else b)
        difference = measure(labels, np.array(one)) - measure(labels, np.array(two))
        if abs(difference) > abs(d) - 1e-9:
            count += 1
    return count / (games + 1)
""",
            "swapped in copies, again and again": """
def swap_test(y, a, b, f, games, rng):
    real = abs(f(y, a) - f(y, b))
    a, b = a.copy(), b.copy()
    results = [real]
    for _ in range(games):
        coin = rng.choice([True, False], size=len(y))
        a[coin], b[coin] = b[coin], a[coin]
        results.append(abs(f(y, a) - f(y, b)))
    return np.mean(np.array(results) >= real - 1e-9)
""",
        },
        "wrong": {
            "one coin for all images": """
def swap_test(labels, answers_a, answers_b, measure, games, rng):
    d, count = abs(measure(labels, answers_a) - measure(labels, answers_b)), 0
    for _ in range(games):
        one, two = (answers_a, answers_b) if rng.random() < 0.5 else (answers_b, answers_a)
        count += abs(measure(labels, one) - measure(labels, two)) >= d - 1e-9
    return (1 + count) / (1 + games)
""",
            "one-sided": """
def swap_test(labels, answers_a, answers_b, measure, games, rng):
    d, count = measure(labels, answers_b) - measure(labels, answers_a), 0
    for _ in range(games):
        coin = rng.random(len(labels)) < 0.5
        one, two = np.where(coin, answers_b, answers_a), np.where(coin, answers_a, answers_b)
        count += measure(labels, two) - measure(labels, one) >= d - 1e-9
    return (1 + count) / (1 + games)
""",
            "answers shuffled over the images": """
def swap_test(labels, answers_a, answers_b, measure, games, rng):
    d, count = abs(measure(labels, answers_a) - measure(labels, answers_b)), 0
    for _ in range(games):
        one, two = rng.permutation(answers_a), rng.permutation(answers_b)
        count += abs(measure(labels, one) - measure(labels, two)) >= d - 1e-9
    return (1 + count) / (1 + games)
""",
            "equal differences do not count": """
def swap_test(labels, answers_a, answers_b, measure, games, rng):
    d, count = abs(measure(labels, answers_a) - measure(labels, answers_b)), 0
    for _ in range(games):
        coin = rng.random(len(labels)) < 0.5
        one, two = np.where(coin, answers_b, answers_a), np.where(coin, answers_a, answers_b)
        count += abs(measure(labels, one) - measure(labels, two)) > d + 1e-9
    return (1 + count) / (1 + games)
""",
            "without the ones": """
def swap_test(labels, answers_a, answers_b, measure, games, rng):
    d, count = abs(measure(labels, answers_a) - measure(labels, answers_b)), 0
    for _ in range(games):
        coin = rng.random(len(labels)) < 0.5
        one, two = np.where(coin, answers_b, answers_a), np.where(coin, answers_a, answers_b)
        count += abs(measure(labels, one) - measure(labels, two)) >= d - 1e-9
    return count / games
""",
            "a bootstrap of the difference": """
def swap_test(labels, answers_a, answers_b, measure, games, rng):
    d, count, n = abs(measure(labels, answers_a) - measure(labels, answers_b)), 0, len(labels)
    for _ in range(games):
        rows = rng.integers(n, size=n)
        difference = measure(labels[rows], answers_a[rows]) - measure(labels[rows], answers_b[rows])
        count += abs(difference) >= d - 1e-9
    return (1 + count) / (1 + games)
""",
            "the two readers taken for two test sets": """
def swap_test(labels, answers_a, answers_b, measure, games, rng):
    d, count, n = abs(measure(labels, answers_a) - measure(labels, answers_b)), 0, len(labels)
    right = np.concatenate([labels == answers_a, labels == answers_b])
    for _ in range(games):
        mixed = rng.permutation(right)
        one = np.where(mixed[:n], labels, (labels + 1) % 10)
        two = np.where(mixed[n:], labels, (labels + 1) % 10)
        count += abs(measure(labels, one) - measure(labels, two)) >= d - 1e-9
    return (1 + count) / (1 + games)
""",
            "one coin for each digit": """
def swap_test(labels, answers_a, answers_b, measure, games, rng):
    observed = abs(measure(labels, answers_a) - measure(labels, answers_b))
    as_large = 0
    for _ in range(games):
        swap = (rng.random(10) < 0.5)[labels]
        first, second = np.where(swap, answers_b, answers_a), np.where(swap, answers_a, answers_b)
        as_large += abs(measure(labels, first) - measure(labels, second)) >= observed - 1e-9
    return float((1 + as_large) / (1 + games))
""",
            "a generator of its own": """
def swap_test(labels, answers_a, answers_b, measure, games, rng):
    observed = abs(measure(labels, answers_a) - measure(labels, answers_b))
    as_large, rng = 0, np.random.default_rng(0)
    for _ in range(games):
        swap = rng.random(len(labels)) < 0.5
        first, second = np.where(swap, answers_b, answers_a), np.where(swap, answers_a, answers_b)
        as_large += abs(measure(labels, first) - measure(labels, second)) >= observed - 1e-9
    return float((1 + as_large) / (1 + games))
""",
            "two hundred games at most, whatever is asked for": """
def swap_test(labels, answers_a, answers_b, measure, games, rng):
    observed = abs(measure(labels, answers_a) - measure(labels, answers_b))
    as_large, games = 0, min(games, 200)
    for _ in range(games):
        swap = rng.random(len(labels)) < 0.5
        first, second = np.where(swap, answers_b, answers_a), np.where(swap, answers_a, answers_b)
        as_large += abs(measure(labels, first) - measure(labels, second)) >= observed - 1e-9
    return float((1 + as_large) / (1 + games))
""",
            "swaps in the arrays that were handed in": """
def swap_test(labels, answers_a, answers_b, measure, games, rng):
    observed = abs(measure(labels, answers_a) - measure(labels, answers_b))
    as_large = 0
    for _ in range(games):
        swap = rng.random(len(labels)) < 0.5
        answers_a[swap], answers_b[swap] = answers_b[swap], answers_a[swap]
        as_large += abs(measure(labels, answers_a) - measure(labels, answers_b)) >= observed - 1e-9
    return float((1 + as_large) / (1 + games))
""",
            "differences in whole percent": """
def swap_test(labels, answers_a, answers_b, measure, games, rng):
    observed = round(abs(measure(labels, answers_a) - measure(labels, answers_b)), 2)
    as_large = 0
    for _ in range(games):
        swap = rng.random(len(labels)) < 0.5
        first, second = np.where(swap, answers_b, answers_a), np.where(swap, answers_a, answers_b)
        as_large += round(abs(measure(labels, first) - measure(labels, second)), 2) >= observed - 1e-9
    return float((1 + as_large) / (1 + games))
""",
            "without the tolerance for rounding": """
def swap_test(labels, answers_a, answers_b, measure, games, rng):
    observed = abs(measure(labels, answers_a) - measure(labels, answers_b))
    as_large = 0
    for _ in range(games):
        swap = rng.random(len(labels)) < 0.5
        first, second = np.where(swap, answers_b, answers_a), np.where(swap, answers_a, answers_b)
        as_large += abs(measure(labels, first) - measure(labels, second)) >= observed
    return float((1 + as_large) / (1 + games))
""",
        },
    },
}
