"""Small SVG charts without any library: bars on a log scale, stacked bars, lines (also with both scales logarithmic). Colours readable for the colour-blind."""

COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999", "#000000"]


class Chart:
    def __init__(self, width, height, title):
        self.width, self.height = width, height
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'font-family="sans-serif" font-size="13"><title>{escape(title)}</title>',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        ]
        self.text(20, 26, title, size=16, weight="bold")

    def text(self, x, y, words, size=13, anchor="start", weight="normal", colour="#222222"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
                          f'font-weight="{weight}" fill="{colour}">{escape(words)}</text>')

    def box(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{height:.1f}" '
                          f'fill="{colour}"/>')

    def line(self, points, colour, width=1.0, dashed=False):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dash}/>')

    def dot(self, x, y, colour):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')

    def save(self, path):
        path.write_text("\n".join(self.parts) + "\n</svg>\n")


def escape(words):
    return str(words).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def log_bars(path, title, rows, low, high, ticks, show):
    """rows: (label, value, colour index), or (heading, None, 0)."""
    from math import log10
    left, right, top, step = 330, 90, 48, 26
    chart = Chart(860, top + step * len(rows) + 40, title)
    wide = chart.width - left - right

    def at(value):
        return left + wide * (log10(max(value, low)) - log10(low)) / (log10(high) - log10(low))

    bottom = top + step * len(rows)
    for tick in ticks:
        chart.line([(at(tick), top), (at(tick), bottom)], "#dddddd")
        chart.text(at(tick), bottom + 20, show(tick), size=12, anchor="middle")
    for index, (label, value, colour) in enumerate(rows):
        y = top + step * index
        if value is None:
            chart.text(20, y + 18, label, weight="bold")
            continue
        chart.text(left - 10, y + 17, label, anchor="end")
        chart.box(left, y + 4, at(value) - left, step - 8, COLOURS[colour])
        chart.text(at(value) + 6, y + 17, show(value))
    chart.save(path)


def stacked_bars(path, title, rows, names, note):
    """rows: (label, [shares]); names of the shares."""
    left, top, step, wide = 200, 84, 30, 600
    chart = Chart(860, top + step * len(rows) + 50, title)
    x = 20
    for index, name in enumerate(names):
        chart.box(x, 42, 14, 14, COLOURS[index])
        chart.text(x + 19, 54, name, size=12)
        x += 34 + 6.6 * len(name)
    for index, (label, shares) in enumerate(rows):
        y, at = top + step * index, left
        chart.text(left - 10, y + 19, label, anchor="end")
        for which, share in enumerate(shares):
            chart.box(at, y + 4, wide * share, step - 8, COLOURS[which])
            if share >= 0.06:
                chart.text(at + wide * share / 2, y + 19, f"{share:.0%}", size=12, anchor="middle",
                           colour="#222222" if which in (4, 5) else "#ffffff")
            at += wide * share
    chart.text(20, top + step * len(rows) + 26, note, size=12)
    chart.save(path)


def lines(path, title, series, x_labels, y_max, y_ticks, show, x_title):
    """series: (name, [values or None]); x positions are evenly spaced."""
    left, top, wide, high = 70, 60, 520, 280
    chart = Chart(860, top + high + 60, title)

    def x_of(index):
        return left + wide * index / (len(x_labels) - 1)

    def y_of(value):
        return top + high * (1 - value / y_max)

    for tick in y_ticks:
        chart.line([(left, y_of(tick)), (left + wide, y_of(tick))], "#dddddd")
        chart.text(left - 8, y_of(tick) + 4, show(tick), size=12, anchor="end")
    for index, label in enumerate(x_labels):
        chart.text(x_of(index), top + high + 20, label, size=12, anchor="middle")
    chart.text(left + wide / 2, top + high + 42, x_title, size=12, anchor="middle")
    for which, (name, values) in enumerate(series):
        colour = COLOURS[which % len(COLOURS)]
        points = [(x_of(index), y_of(value)) for index, value in enumerate(values) if value is not None]
        chart.line(points, colour, 2.5)
        for x, y in points:
            chart.dot(x, y, colour)
        chart.box(left + wide + 24, top + 26 * which, 14, 14, colour)
        chart.text(left + wide + 44, top + 12 + 26 * which, name, size=12)
    chart.save(path)


def log_lines(path, title, series, x_title, show_x, show_y):
    """series: (name, [(x, y)]), all above 0; both scales logarithmic, a line of the grid at each power of ten."""
    from math import ceil, floor, log10
    left, top, wide, high = 90, 60, 470, 300
    chart = Chart(860, top + high + 60, title)
    points = [point for _, some in series for point in some]

    def powers(values):
        low, top_ = floor(log10(min(values)) + 1e-9), ceil(log10(max(values)) - 1e-9)
        return low, max(top_, low + 1)

    (x_low, x_high), (y_low, y_high) = powers([x for x, _ in points]), powers([y for _, y in points])

    def x_of(value):
        return left + wide * (log10(value) - x_low) / (x_high - x_low)

    def y_of(value):
        return top + high * (1 - (log10(value) - y_low) / (y_high - y_low))

    for power in range(y_low, y_high + 1):
        chart.line([(left, y_of(10 ** power)), (left + wide, y_of(10 ** power))], "#dddddd")
        chart.text(left - 8, y_of(10 ** power) + 4, show_y(10 ** power), size=12, anchor="end")
    for power in range(x_low, x_high + 1):
        chart.line([(x_of(10 ** power), top), (x_of(10 ** power), top + high)], "#dddddd")
        chart.text(x_of(10 ** power), top + high + 20, show_x(10 ** power), size=12, anchor="middle")
    chart.text(left + wide / 2, top + high + 42, x_title, size=12, anchor="middle")
    for which, (name, some) in enumerate(series):
        colour = COLOURS[which % len(COLOURS)]
        chart.line([(x_of(x), y_of(y)) for x, y in some], colour, 2.5)
        for x, y in some:
            chart.dot(x_of(x), y_of(y), colour)
        chart.box(left + wide + 24, top + 26 * which, 14, 14, colour)
        chart.text(left + wide + 44, top + 12 + 26 * which, name, size=12)
    chart.save(path)
