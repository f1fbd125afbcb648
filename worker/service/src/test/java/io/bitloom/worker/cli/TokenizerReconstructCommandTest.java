package io.bitloom.worker.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.engine.checkpoint.SafetensorsWriter;
import io.bitloom.engine.modeldir.TinyModel;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.engine.tokenizer.TokenizerLayout;
import io.bitloom.training.data.DrawnPictures;
import io.bitloom.worker.Main;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerReconstructCommandTest {
  @TempDir private Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private Path tokenizer;

  @BeforeEach
  void writeTokenizerAndPictures() throws IOException {
    tokenizer = folder.resolve("vae.safetensors");
    try (Weights weights = TinyModel.tokenizerWeights(TinyModel.BITS)) {
      SafetensorsWriter.write(tokenizer, weights, Map.of());
    }
    DrawnPictures.write(folder, 3);
  }

  private int run(Object... arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return Main.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(
            Stream.concat(Stream.of("tokenizer", "reconstruct"), Arrays.stream(arguments))
                .map(String::valueOf)
                .toArray(String[]::new));
  }

  @Test
  void everyPictureIsWrittenBesideItsReconstructionAndMeasured() throws IOException {
    Path target = folder.resolve("out");
    int exit = run(folder, "--tokenizer", tokenizer, "--out", target, "--json");
    assertEquals(0, exit, err.toString());
    assertEquals(3, out.toString().lines().count());
    JsonObject square =
        JsonParser.parseString(out.toString().lines().toList().get(0)).getAsJsonObject();
    assertEquals(256, square.get("width").getAsInt());
    assertEquals(521 * TinyModel.BITS, square.get("bits").getAsDouble());
    assertTrue(square.get("psnr").getAsDouble() > 0);
    BufferedImage both = ImageIO.read(target.resolve("0.png").toFile());
    assertEquals(256, both.getHeight());
    assertEquals(2 * 256 + 8, both.getWidth());
    BufferedImage wide = ImageIO.read(target.resolve("2.png").toFile());
    assertTrue(wide.getWidth() > 2 * wide.getHeight());
  }

  @Test
  void whatIsNoPictureIsNamedAndTheOthersAreDone() throws IOException {
    Path damaged = folder.resolve("damaged.png");
    byte[] half = Files.readAllBytes(folder.resolve("0.png"));
    Files.write(damaged, Arrays.copyOf(half, half.length / 2));
    Path text = folder.resolve("captions.jsonl");
    Path good = folder.resolve("1.png");
    Path target = folder.resolve("out");
    int exit = run(damaged, text, good, good, "--tokenizer", tokenizer, "--out", target);
    assertEquals(3, exit);
    assertTrue(err.toString().contains("damaged.png: "), err.toString());
    assertTrue(err.toString().contains("captions.jsonl: is no PNG"), err.toString());
    assertTrue(out.toString().contains("| mean of 2 |"), out.toString());
    assertTrue(Files.exists(target.resolve("1_2.png")));
    assertFalse(Files.exists(target.resolve("damaged.png")));
    assertEquals(1, run(text, "--tokenizer", tokenizer, "--out", target));
  }

  @Test
  void theTokenizerOfAVarIsRefused() throws IOException {
    String settings =
        """
        {"codebook_dim": 8, "patch_size": 16, "base_ch": 32, "ch_mult": [1, 1, 1, 1, 1],
         "num_res_blocks": 1, "vocab_size": 16}
        """;
    TokenizerConfig config = TokenizerConfig.of(JsonParser.parseString(settings).getAsJsonObject());
    try (Weights weights = new Weights("VAR")) {
      TokenizerLayout.of(config)
          .forEach(
              (name, shape) -> weights.put(name, Tensors.zeros(DType.F32, TorchDevice.CPU, shape)));
      SafetensorsWriter.write(tokenizer, weights, Map.of("config", settings));
    }
    assertEquals(1, run(folder, "--tokenizer", tokenizer, "--out", folder.resolve("out")));
    assertTrue(err.toString().contains("is a VAR's tokenizer"), err.toString());
  }

  @Test
  void aTokenizerOrOptionThatCannotBeUsedIsNamed() throws IOException {
    Path picture = folder.resolve("0.png");
    assertEquals(1, run(picture, "--tokenizer", picture, "--out", folder.resolve("out")));
    assertTrue(err.toString().contains("0.png"), err.toString());
    assertEquals(2, run(picture, "--tokenizer", folder.resolve("none.safetensors")));
    assertEquals(2, run(picture, "--tokenizer", tokenizer, "--size", "9M"));
    assertEquals(2, run(picture, "--tokenizer", tokenizer, "--model", "demo"));
    try (Weights weights = TinyModel.tokenizerWeights(TinyModel.BITS)) {
      SafetensorsWriter.write(
          tokenizer, weights, Map.of("quantizer", "{\"kind\": \"VQ\", \"d\": 8}"));
    }
    assertEquals(1, run(picture, "--tokenizer", tokenizer, "--out", folder.resolve("out")));
    assertTrue(err.toString().contains("codebook_size"), err.toString());
  }
}
