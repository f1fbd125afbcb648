package io.bitloom.worker.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.ImagePromptRules;
import io.bitloom.common.rules.SamplingParameters;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.EncodedImage;
import io.bitloom.engine.Engine;
import io.bitloom.engine.EngineConfig;
import io.bitloom.engine.PromptWork;
import io.bitloom.engine.checkpoint.TorchFile;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.modeldir.TinyModel;
import io.bitloom.engine.modeldir.TinyVar;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.worker.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From the official files of a class-conditional VAR to pictures. */
class VarCommandsTest {
  @TempDir private static Path folder;

  private static final StringWriter out = new StringWriter();
  private static final StringWriter err = new StringWriter();
  private static Path released;
  private static Path classes;
  private static Path model;

  @BeforeAll
  static void importTheReleasedFiles() throws IOException {
    released = Files.createDirectory(folder.resolve("released"));
    TinyVar.writeTransformer(released);
    TinyVar.writeTokenizer(released);
    classes = TinyVar.writeClasses(folder);
    model = folder.resolve("models").resolve("tiny-var");
    assertEquals(
        0, run("model", "import", released, "--classes", classes, "--out", model), err.toString());
  }

  private static int run(Object... arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return Main.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(Stream.of(arguments).map(String::valueOf).toArray(String[]::new));
  }

  private static void assertFails(int exitCode, String reason, Object... arguments) {
    assertEquals(exitCode, run(arguments), out.toString());
    assertTrue(err.toString().contains(reason), err.toString());
  }

  @Test
  void importWritesADirectoryWithTheSizeTheSamplerAndTheClassesOfTheOfficialModel() {
    ModelDirectory directory = ModelDirectory.open(model.toString());
    directory.readFiles();
    assertEquals(List.of(SizeClass.VAR_256), directory.sizes());
    assertEquals(4, directory.transformer().square().classes());
    assertEquals(24, directory.tokenizer().vocabSize());
    SamplingParameters defaults = directory.defaults().sampling();
    assertEquals(List.of(5.0), defaults.guidance()); // cfg 4 of the official example
    assertEquals(SamplingParameters.GuidanceSchedule.PYRAMID, defaults.guidanceSchedule());
    assertEquals(900, defaults.topK());
    assertEquals(0.95, defaults.topP());
  }

  @Test
  void inspectFindsNothingWrongWithIt() {
    assertEquals(0, run("model", "inspect", model, "--strict", "--summary"), out + "" + err);
    assertTrue(out.toString().contains("num_classes 4"), out.toString());
    assertTrue(out.toString().contains("patch_nums [1,2,3,4,5,6,8,10,13,16]"), out.toString());
  }

  @Test
  void whatIsMissingForAWholeModelIsSaid() throws IOException {
    Path nowhere = folder.resolve("nowhere");
    assertFails(
        1,
        "names of its 4 classes, a line for each, with --classes",
        "model",
        "import",
        released,
        "--out",
        nowhere);
    Path five = Files.writeString(folder.resolve("five.txt"), "a\nb\nc\nd\ne\n");
    assertFails(
        1,
        "has 5 lines, the model has 4 classes",
        "model",
        "import",
        released,
        "--classes",
        five,
        "--out",
        nowhere);
    assertFails(
        1,
        "sizes: the transformer draws var256",
        "model",
        "import",
        released,
        "--classes",
        classes,
        "--sizes",
        "0.06M",
        "--out",
        nowhere);
    Path bits = folder.resolve("bits.pth");
    try (Weights weights = TinyModel.tokenizerWeights(TinyModel.BITS)) {
      TorchFile.under(bits, "vae", weights);
    }
    assertFails(
        1,
        "draws entries of a codebook of 24, the tokenizer " + bits + " has bits",
        "model",
        "import",
        released,
        "--tokenizer",
        bits,
        "--classes",
        classes,
        "--out",
        nowhere);
    Path settings = Files.writeString(folder.resolve("settings.json"), "{\"patch_nums\": [1, 2]}");
    assertFails(
        1,
        "pos_1LC",
        "model",
        "import",
        released,
        "--config",
        settings,
        "--classes",
        classes,
        "--out",
        nowhere);
    assertFalse(Files.exists(nowhere));
  }

  @Test
  void generateDrawsAClassByNameAndEveryStep() throws IOException {
    Path pictures = folder.resolve("pictures");
    assertEquals(
        0,
        run("generate", "tench", "--model", model, "--seed", 7, "--steps", "--out", pictures),
        err.toString());
    assertTrue(err.toString().contains("in 10 scales"), err.toString());
    assertEquals(256, ImageIO.read(pictures.resolve("tench-7.png").toFile()).getWidth());
    assertTrue(Files.exists(pictures.resolve("tench-7_step10.png")));
  }

  @Test
  void generateRefusesOtherClassesShapesAndListsOfAnotherLength() {
    assertFails(2, "\"a red fox\" is no class", "generate", "a red fox", "--model", model);
    assertFails(
        2,
        "--aspect-ratio must be square",
        "generate",
        "hen",
        "--model",
        model,
        "--aspect-ratio",
        "3:2");
    assertFails(
        2,
        "--size 0.06M is not drawn by model",
        "generate",
        "hen",
        "--model",
        model,
        "--size",
        "0.06M");
    assertFails(
        2,
        "one value or 10",
        "generate",
        "hen",
        "--model",
        model,
        "--temperature",
        "1,1,1,1,1,1,1");
  }

  @Test
  void aPictureIsTheSameAloneAndInABatchAndAnUnknownClassFailsAlone() {
    ModelDirectory directory = ModelDirectory.open(model.toString());
    try (Engine engine = Engine.open(directory, bareImages())) {
      ImagePromptRules.Resolved tench = resolved(directory, "tench", 7);
      engine.warmUp(tench.schedule());
      EncodedImage alone = draw(engine, tench).get(0).images().get(0);
      List<PromptWork> batch =
          draw(
              engine,
              resolved(directory, "3", 1),
              resolved(directory, "a red fox", 2),
              resolved(directory, "hen", 3),
              tench,
              resolved(directory, "goldfish", 7));
      EncodedImage together = batch.get(3).images().get(0);
      assertArrayEquals(alone.file(), together.file());
      assertEquals(4, batch.get(3).batchImages());
      assertFalse(Arrays.equals(together.sha256(), batch.get(4).images().get(0).sha256()));
      BitloomException refusal = assertThrows(BitloomException.class, () -> batch.get(1).images());
      assertEquals(ErrorCode.PROMPT_REJECTED, refusal.code());
      assertTrue(refusal.getMessage().contains("\"a red fox\" is no class"), refusal.getMessage());
    }
  }

  /** Files that differ in their pixels alone. */
  private static EngineConfig bareImages() {
    EngineConfig usual = EngineConfig.of(TorchDevice.CPU);
    return new EngineConfig(
        usual.device(),
        usual.dtype(),
        usual.threads(),
        usual.maxBatch(),
        usual.encoderThreads(),
        usual.textCacheMiB(),
        false,
        false);
  }

  private static ImagePromptRules.Resolved resolved(
      ModelDirectory directory, String text, long seed) {
    return directory.resolve(ImagePrompt.builder(text).seed(seed).build(), "test", 0);
  }

  private static List<PromptWork> draw(Engine engine, ImagePromptRules.Resolved... prompts) {
    return engine
        .submit(
            prompts[0].schedule(),
            Stream.of(prompts).map(ImagePromptRules.Resolved::prompt).toList(),
            scale -> {})
        .prompts();
  }
}
