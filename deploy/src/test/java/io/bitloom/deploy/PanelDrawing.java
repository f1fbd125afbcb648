package io.bitloom.deploy;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** One panel as HTML: a number, or lines with axes and a legend. */
final class PanelDrawing {

  private static final List<String> COLOURS =
      List.of(
          "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f");

  private static final int HEADING = 26;
  private static final int LEFT = 62;
  private static final int RIGHT = 12;
  private static final int AXIS = 18;
  private static final int LEGEND_LINE = 15;
  private static final int LETTER = 6;
  private static final int TICKS = 4;

  private record Line(String name, List<double[]> points) {}

  private final Dashboard.Panel panel;
  private final int width;
  private final int height;

  PanelDrawing(Dashboard.Panel panel, int width, int height) {
    this.panel = panel;
    this.width = width;
    this.height = height - HEADING;
  }

  String draw(Prometheus prometheus, Instant from, Instant to) throws IOException {
    List<Line> lines = new ArrayList<>();
    for (Dashboard.Query query : panel.queries()) {
      for (Prometheus.Series series : prometheus.range(query.expr(), from, to)) {
        lines.add(new Line(named(query.legend(), series.labels()), finite(series.points())));
      }
    }
    return panel.type().equals("stat") ? stat(lines) : graph(lines, from, to);
  }

  private static String named(String legend, Map<String, String> labels) {
    String name = legend;
    for (Map.Entry<String, String> label : labels.entrySet()) {
      name = name.replace("{{" + label.getKey() + "}}", label.getValue());
    }
    return name.replace("bitloom.v1.", "");
  }

  private static List<double[]> finite(List<double[]> points) {
    return points.stream().filter(point -> Double.isFinite(point[1])).toList();
  }

  private String stat(List<Line> lines) {
    List<double[]> points = lines.get(0).points();
    double last = points.get(points.size() - 1)[1];
    String colour = "green";
    for (Map.Entry<Double, String> limit : panel.limits().entrySet()) {
      colour = last >= limit.getKey() ? limit.getValue() : colour;
    }
    return "<div class=\"stat " + colour + "\">" + Units.text(panel.unit(), last) + "</div>";
  }

  private String graph(List<Line> lines, Instant from, Instant to) {
    List<Line> shown = panel.stacked() ? stacked(lines) : lines;
    double most =
        shown.stream()
            .flatMap(line -> line.points().stream())
            .mapToDouble(point -> point[1])
            .max()
            .orElse(0);
    double top = panel.most().orElse(most <= 0 ? 1 : roundUp(most));
    List<String> legend = legend(shown);
    int bottom = height - AXIS - 6 - legend.size() * LEGEND_LINE;
    double begin = from.getEpochSecond();
    double seconds = to.getEpochSecond() - begin;
    StringBuilder svg = new StringBuilder();
    svg.append(format("<svg width=\"%d\" height=\"%d\">", width, height));
    for (int i = 0; i <= TICKS; i++) {
      double y = bottom - (bottom - 8.0) * i / TICKS;
      svg.append(
          format(
              "<path d=\"M%d %.1fH%d\" stroke=\"#eaecef\"/><text x=\"%d\" y=\"%.1f\""
                  + " text-anchor=\"end\">%s</text>",
              LEFT, y, width - RIGHT, LEFT - 6, y + 3, Units.text(panel.unit(), top * i / TICKS)));
      svg.append(
          format(
              "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.0f s</text>",
              LEFT + (width - LEFT - RIGHT - 10.0) * i / TICKS,
              bottom + AXIS - 4,
              seconds * i / TICKS));
    }
    for (int i = shown.size() - 1; i >= 0; i--) {
      svg.append(line(shown.get(i), colour(i), begin, seconds, top, bottom));
    }
    for (int i = 0; i < legend.size(); i++) {
      svg.append(
          format(
              "<text x=\"%d\" y=\"%d\">%s</text>",
              LEFT - 40, bottom + AXIS + 10 + i * LEGEND_LINE, legend.get(i)));
    }
    return svg.append("</svg>").toString();
  }

  private String line(
      Line line, String colour, double begin, double seconds, double top, int bottom) {
    StringBuilder path = new StringBuilder();
    double before = Double.NaN;
    double firstX = 0;
    double x = 0;
    for (double[] point : line.points()) {
      x = LEFT + (width - LEFT - RIGHT) * (point[0] - begin) / seconds;
      double y = bottom - (bottom - 8) * Math.min(point[1], top) / top;
      boolean on = point[0] - before <= 1.5;
      firstX = path.isEmpty() ? x : firstX;
      path.append(
          format("%s%.1f %.1f", on || panel.stacked() && !path.isEmpty() ? "L" : "M", x, y));
      before = point[0];
    }
    if (path.isEmpty()) {
      return "";
    }
    String area =
        panel.stacked()
            ? format(
                "<path d=\"%sL%.1f %dL%.1f %dZ\" fill=\"%s\" fill-opacity=\"0.9\"/>",
                path, x, bottom, firstX, bottom, colour)
            : "";
    return area
        + format("<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"/>", path, colour);
  }

  /** Every line upon those before it, at all times at which any of them has a value. */
  private static List<Line> stacked(List<Line> lines) {
    TreeMap<Double, Double> sum = new TreeMap<>();
    lines.forEach(line -> line.points().forEach(point -> sum.put(point[0], 0.0)));
    List<Line> stacked = new ArrayList<>();
    for (Line line : lines) {
      line.points().forEach(point -> sum.merge(point[0], point[1], Double::sum));
      List<double[]> points = new ArrayList<>();
      sum.forEach((time, value) -> points.add(new double[] {time, value}));
      stacked.add(new Line(line.name(), points));
    }
    return stacked;
  }

  private List<String> legend(List<Line> lines) {
    List<String> rows = new ArrayList<>();
    StringBuilder row = new StringBuilder();
    int letters = 0;
    for (int i = 0; i < lines.size(); i++) {
      int length = lines.get(i).name().length() + 4;
      if (letters > 0 && (letters + length) * LETTER > width - LEFT + 30) {
        rows.add(row.toString());
        row.setLength(0);
        letters = 0;
      }
      row.append(
          format(
              "<tspan fill=\"%s\">&#9632; </tspan>%s&#160;&#160; ",
              colour(i), lines.get(i).name()));
      letters += length;
    }
    rows.add(row.toString());
    return rows;
  }

  private static String colour(int i) {
    return COLOURS.get(i % COLOURS.size());
  }

  /** The next of 1, 2, 2.5, 5 times a power of ten. */
  private static double roundUp(double value) {
    double power = Math.pow(10, Math.floor(Math.log10(value)));
    for (double step : new double[] {1, 2, 2.5, 4, 5, 8}) {
      if (value <= step * power * 1.0001) {
        return step * power;
      }
    }
    return 10 * power;
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
