package io.bitloom.deploy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;

/**
 * Draws the page of the dashboard with what Prometheus answers. Not Grafana, but the same file, the
 * same queries, and every panel where Grafana puts it.
 */
final class DashboardPicture {

  private static final Path FILE = Installed.HOME.resolve("docs/pictures/dashboard.png");
  private static final int PAGE_WIDTH = 1440;
  private static final int COLUMN = 58;
  private static final int ROW = 27;
  private static final int MARGIN = 24;
  private static final int HEAD = 64;
  private static final int GAP = 8;

  private DashboardPicture() {}

  /** Writes the picture anew. */
  static void write(
      List<Dashboard.Panel> panels, Prometheus prometheus, Instant from, Instant to, Path folder)
      throws IOException, InterruptedException {
    Installed.assume("chromium-headless-shell", "chromium-headless-shell");
    StringBuilder body = new StringBuilder();
    int rows = 0;
    for (Dashboard.Panel panel : panels) {
      Dashboard.Place place = panel.place();
      rows = Math.max(rows, place.y() + place.h());
      int width = place.w() * COLUMN - GAP;
      int height = place.h() * ROW - GAP;
      body.append(
              String.format(
                  Locale.ROOT,
                  "<section style=\"left:%dpx;top:%dpx;width:%dpx;height:%dpx\"><h2>%s</h2>",
                  MARGIN + place.x() * COLUMN,
                  HEAD + place.y() * ROW,
                  width,
                  height,
                  panel.title()))
          .append(new PanelDrawing(panel, width, height).draw(prometheus, from, to))
          .append("</section>");
    }
    int height = HEAD + rows * ROW + MARGIN;
    Path page = folder.resolve("dashboard.html");
    Files.writeString(
        page, String.format(Locale.ROOT, PAGE, to.getEpochSecond() - from.getEpochSecond()) + body);
    Installed.Said said =
        Installed.run(
            folder,
            List.of(
                "chromium-headless-shell",
                "--no-sandbox",
                "--hide-scrollbars",
                "--window-size=" + PAGE_WIDTH + "," + height,
                "--screenshot=" + FILE,
                page.toUri().toString()));
    if (said.exitCode() != 0) {
      throw new IOException(said.text());
    }
    FewColours.rewrite(FILE);
  }

  private static final String PAGE =
      """
      <!doctype html><meta charset="utf-8"><style>
      body {margin: 0; background: #f4f5f7; font: 12px "DejaVu Sans", sans-serif; color: #24292e}
      h1 {position: absolute; left: 24px; top: 14px; margin: 0; font-size: 22px}
      p {position: absolute; right: 24px; top: 20px; margin: 0; color: #6a737d}
      section {position: absolute; background: #fff; border: 1px solid #e1e4e8;
        border-radius: 3px; box-sizing: border-box; overflow: hidden}
      h2 {margin: 7px 10px 0; font-size: 12px}
      .stat {font-size: 30px; text-align: center; margin-top: 14px}
      .green {color: #1a7f37}
      .yellow {color: #9a6700}
      .red {color: #cf222e}
      svg {display: block}
      text {font-size: 10px; fill: #57606a}
      </style><h1>Bitloom</h1><p>%d s of a run of the tests</p>
      """;
}
