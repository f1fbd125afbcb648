package io.bitloom.loadtests.engine;

import io.bitloom.common.cli.Range;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.image.decode.PictureFile;
import io.bitloom.engine.image.decode.PictureOptions;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import javax.imageio.ImageIO;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code bitloom bench pictures}: how many pictures one thread reads. */
@Command(
    name = "pictures",
    mixinStandardHelpOptions = true,
    description =
        "Reads pictures of 1024x768 as training does, in turn with what java.awt alone takes to"
            + " decode the same file to red, green and blue, and prints a Markdown table.")
public final class PicturesBenchmark implements Callable<Integer> {
  private static final int WIDTH = 1024;
  private static final int HEIGHT = 768;

  @Option(
      names = "--rounds",
      defaultValue = "30",
      description = "Rounds of both in turn (default: ${DEFAULT-VALUE}).")
  @Range(min = 1)
  private int rounds;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    out.println("| file | bytes | decoded by java.awt, ms | decoded, ms | times as fast |");
    out.println("|---|---|---|---|---|");
    for (String format : new String[] {"jpg", "png"}) {
      Path file = Files.createTempFile("bench", "." + format);
      try {
        ImageIO.write(picture(), format, file.toFile());
        row(out, format, file);
      } finally {
        Files.delete(file);
      }
    }
    out.flush();
    return 0;
  }

  private void row(PrintWriter out, String format, Path file) throws IOException {
    double[] before = new double[rounds];
    double[] now = new double[rounds];
    for (int warm = 1; warm >= 0; warm--) {
      for (int i = 0; i < rounds; i++) {
        long start = System.nanoTime();
        int known = RgbImage.of(ImageIO.read(file.toFile())).rgb().length;
        long middle = System.nanoTime();
        int read =
            PictureFile.fitted(file, WIDTH, HEIGHT, PictureOptions.AS_STORED, remark -> {})
                .rgb()
                .length;
        now[i] = (System.nanoTime() - middle) / 1e6;
        before[i] = (middle - start) / 1e6;
        if (known != read) {
          throw new IllegalStateException(known + " and " + read + " bytes of one picture");
        }
      }
    }
    Arrays.sort(before);
    Arrays.sort(now);
    double old = before[rounds / 2];
    double median = now[rounds / 2];
    out.printf(
        Locale.ROOT,
        "| %s | %d | %.1f | %.1f | %.2f |%n",
        format,
        Files.size(file),
        old,
        median,
        old / median);
  }

  /** Slopes, edges and noise, as in a photograph. */
  private static BufferedImage picture() {
    BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
    SplittableRandom random = new SplittableRandom(1);
    for (int y = 0; y < HEIGHT; y++) {
      for (int x = 0; x < WIDTH; x++) {
        int noise = random.nextInt(12);
        int edge = (x / 90 + y / 70) % 2 * 60;
        image.setRGB(x, y, (x / 6 + edge + noise) << 16 | (y / 5 + noise) << 8 | 120 + noise);
      }
    }
    return image;
  }
}
