package io.bitloom.training.eval;

import java.util.Locale;
import java.util.Map;

/** Bars of rates, grouped by what was compared, as an SVG drawing; it needs no fonts here. */
final class BarChart {
  private static final String[] COLOURS = {"#3b6fb6", "#e08a2e", "#4c9f70", "#8d6cab"};
  private static final int GROUP = 150;
  private static final int BAR = 30;
  private static final int HEIGHT = 220;
  private static final int LEFT = 50;
  private static final int TOP = 40;

  private BarChart() {}

  static String of(Map<String, Tally> tallies, Tally.Metric... metrics) {
    int width = LEFT + GROUP * tallies.size() + 10;
    StringBuilder svg = new StringBuilder();
    svg.append(
        String.format(
            Locale.ROOT,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" %s>%n",
            width,
            TOP + HEIGHT + 40,
            "font-family=\"sans-serif\" font-size=\"11\""));
    svg.append("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
    for (int percent = 0; percent <= 100; percent += 20) {
      int y = TOP + HEIGHT - HEIGHT * percent / 100;
      svg.append(
          String.format(
              Locale.ROOT, "<path d=\"M%d %dH%d\" stroke=\"#ddd\"/>%n", LEFT, y, width - 10));
      svg.append(text(LEFT - 6, y + 4, "end", percent + " %"));
    }
    for (int m = 0; m < metrics.length; m++) {
      int x = LEFT + 150 * m;
      svg.append(rectangle(x, 14, 10, 10, COLOURS[m % COLOURS.length]));
      svg.append(text(x + 15, 23, "start", metrics[m].label()));
    }
    int group = 0;
    for (Map.Entry<String, Tally> tally : tallies.entrySet()) {
      int left = LEFT + GROUP * group++ + (GROUP - BAR * metrics.length) / 2;
      for (int m = 0; m < metrics.length; m++) {
        double rate = tally.getValue().of(metrics[m]) == 0 ? 0 : tally.getValue().rate(metrics[m]);
        double high = HEIGHT * rate;
        svg.append(
            rectangle(
                left + BAR * m, TOP + HEIGHT - high, BAR - 4, high, COLOURS[m % COLOURS.length]));
      }
      svg.append(
          text(left + BAR * metrics.length / 2, TOP + HEIGHT + 20, "middle", tally.getKey()));
    }
    return svg.append("</svg>\n").toString();
  }

  private static String rectangle(double x, double y, double width, double height, String fill) {
    return String.format(
        Locale.ROOT,
        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>%n",
        x,
        y,
        width,
        height,
        fill);
  }

  private static String text(int x, int y, String anchor, String words) {
    return String.format(
        Locale.ROOT, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\">%s</text>%n", x, y, anchor, words);
  }
}
