import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.engine.DrawnScale;
import io.bitloom.engine.EncodedImage;
import io.bitloom.engine.Engine;
import io.bitloom.engine.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Draws two pictures with the model that comes with Bitloom: no cluster, no server. */
final class Draw {
  private Draw() {}

  public static void main(String[] arguments) throws IOException {
    Path folder = Files.createDirectories(Path.of(arguments.length > 0 ? arguments[0] : "out"));
    try (Engine engine = Engine.open("demo")) {
      ImagePrompt prompt =
          ImagePrompt.builder("a large fox in the middle in a snowy landscape")
              .aspectRatio("3:2")
              .numImages(2)
              .seed(7)
              .build();
      for (EncodedImage image : engine.generate(prompt, Draw::show)) {
        Files.write(folder.resolve("fox_" + image.index() + ".png"), image.file());
      }
    }
  }

  private static void show(DrawnScale scale) {
    RgbImage preview = scale.picture(0, 64); // the first image, its longer side 64 pixels
    int centre = 3 * (preview.height() / 2 * preview.width() + preview.width() / 2);
    System.out.printf(
        "scale %d of %d: the centre is #%02x%02x%02x%n",
        scale.scalesDone(),
        scale.scales(),
        preview.rgb()[centre],
        preview.rgb()[centre + 1],
        preview.rgb()[centre + 2]);
  }
}
