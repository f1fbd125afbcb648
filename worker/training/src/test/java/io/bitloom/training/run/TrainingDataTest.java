package io.bitloom.training.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.training.data.TrainingSample;
import io.bitloom.training.tokenizer.TokenizerJob;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingDataTest {
  @TempDir private Path folder;

  @Test
  void relativePathsOfCaptionsThatAreValidatedOnStartInTheirOwnFolder() throws IOException {
    write("training", Color.RED);
    write("validation", Color.BLUE);
    Path file = folder.resolve("train.yaml");
    Files.writeString(
        file, "folder: run\ndata: {path: training, validation_path: validation/captions.jsonl}\n");

    TrainingData data = TokenizerJob.read(file).data();

    List<TrainingSample> samples = data.validation().get(0).samples();
    assertEquals(1, samples.size());
    byte[] rgb = samples.get(0).picture().rgb();
    assertArrayEquals(new byte[] {0, 0, (byte) 255}, Arrays.copyOf(rgb, 3));
  }

  private void write(String name, Color color) throws IOException {
    Path place = Files.createDirectories(folder.resolve(name));
    BufferedImage image = new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.setColor(color);
    graphics.fillRect(0, 0, 64, 64);
    graphics.dispose();
    ImageIO.write(image, "png", place.resolve("same-name.png").toFile());
    Files.writeString(
        place.resolve("captions.jsonl"),
        "{\"image_path\": \"same-name.png\", \"text\": \"" + name + "\"}\n");
  }
}
