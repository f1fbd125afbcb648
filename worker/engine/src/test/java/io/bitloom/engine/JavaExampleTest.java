package io.bitloom.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.schedule.ScaleSchedules;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The example of a Java program that draws: compiled and run as its reader would. */
@Timeout(600)
class JavaExampleTest {
  private static final Path PROGRAM = aboveHere("client/examples/java/Draw.java");
  private static final Path JAVADOC =
      aboveHere("src/main/java/" + Engine.class.getPackageName().replace('.', '/'))
          .resolve("package-info.java");

  @TempDir Path folder;

  @Test
  void theExampleDrawsItsImagesWithTheDemoModel() throws Exception {
    try (ChildJvm program = ChildJvm.startSource(PROGRAM, folder.toString())) {
      program.awaitLine("scale 1 of 7: the centre is #");
      program.awaitLine("scale 7 of 7: the centre is #");
      assertEquals(0, program.awaitExit());
    }
    ImagePrompt prompt =
        ImagePrompt.builder("a large fox in the middle in a snowy landscape")
            .aspectRatio("3:2")
            .numImages(2)
            .seed(7)
            .build();
    try (Engine engine = Engine.open("demo")) {
      for (EncodedImage image : engine.generate(prompt)) {
        Path file = folder.resolve("fox_" + image.index() + ".png");
        assertArrayEquals(image.file(), Files.readAllBytes(file));
        BufferedImage picture = ImageIO.read(file.toFile());
        assertEquals(
            ScaleSchedules.find("0.666_0.06M").orElseThrow().pixelWidth(), picture.getWidth());
        assertEquals(picture.getWidth(), image.pixels().width());
      }
    }
    try (var files = Files.list(folder)) {
      assertEquals(2, files.count());
    }
  }

  @Test
  void theJavadocOfThePackageHasTheSameExample() throws IOException {
    List<String> javadoc =
        Files.readAllLines(JAVADOC).stream()
            .dropWhile(line -> !line.contains("{@code"))
            .skip(1)
            .takeWhile(line -> !line.contains("}</pre>"))
            .map(line -> line.replaceFirst("^ \\* ?", ""))
            .toList();
    assertTrue(javadoc.size() <= 12, "it is to be short, but has " + javadoc.size() + " lines");
    String program = Files.readString(PROGRAM);
    String indented = String.join("\n", javadoc.stream().map(line -> "    " + line).toList());
    assertTrue(program.contains(indented), "the program has another one:\n" + indented);
  }

  /** A file of this module or of the repository, wherever in it the module lies. */
  private static Path aboveHere(String path) {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.exists(folder.resolve(path))) {
      folder = folder.getParent();
      if (folder == null) {
        throw new AssertionError("there is no " + path + " above " + Path.of("").toAbsolutePath());
      }
    }
    return folder.resolve(path);
  }
}
