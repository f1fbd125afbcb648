package io.bitloom.worker.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.Engine;
import io.bitloom.engine.EngineConfig;
import io.bitloom.engine.checkpoint.SafetensorsWriter;
import io.bitloom.engine.checkpoint.TorchFile;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.modeldir.TinyModel;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.worker.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checkpoints as other people's training leaves them become models. */
class FieldCheckpointsTest {
  private static final String HEAD = "head.weight";

  @TempDir private Path folder;

  private final StringWriter said = new StringWriter();
  private Path file;
  private Path tokenizer;

  @BeforeEach
  void writeATokenizer() throws IOException {
    file = folder.resolve("last.ckpt");
    tokenizer = folder.resolve("vae.safetensors");
    try (Weights vae = TinyModel.tokenizerWeights(TinyModel.BITS)) {
      SafetensorsWriter.write(tokenizer, vae, Map.of());
    }
  }

  private int run(Object... arguments) {
    said.getBuffer().setLength(0);
    return Main.commandLine()
        .setOut(new PrintWriter(said, true))
        .setErr(new PrintWriter(said, true))
        .execute(Stream.of(arguments).map(String::valueOf).toArray(String[]::new));
  }

  private void assertImported(Weights expected, Object... options) {
    Path model = folder.resolve("model");
    Stream<Object> import_ = Stream.of("model", "import", file, tokenizer, "--out", model);
    assertEquals(0, run(Stream.concat(import_, Stream.of(options)).toArray()), said::toString);
    ModelDirectory directory = ModelDirectory.open(model.toString());
    directory.readFiles();
    try (Weights imported = directory.transformerWeights();
        Scope scope = Scope.open()) {
      assertEquals(expected.names(), imported.names());
      assertArrayEquals(Tensors.floats(expected.get(HEAD)), Tensors.floats(imported.get(HEAD)));
    }
    Engine.open(directory, EngineConfig.of(TorchDevice.CPU)).close();
    assertEquals(0, run("model", "inspect", model, "--strict"), said::toString);
  }

  @ParameterizedTest
  @CsvSource({
    "model.",
    "module.",
    "_orig_mod.",
    "ema.",
    "module.model._orig_mod.",
    "model._forward_module."
  })
  void aLightningCheckpointBecomesAModel(String prefix) throws IOException {
    UnaryOperator<String> wrapped = prefix::concat;
    try (Weights weights = TinyModel.transformerWeights(1);
        Weights stored = weights.renamed(wrapped)) {
      TorchFile.lightning(file, stored);
      assertImported(weights);
      Path linked = folder.resolve("linked");
      assertEquals(
          0, run("model", "import", file, tokenizer, "--out", linked, "--link"), said::toString);
      Engine.open(ModelDirectory.open(linked.toString()), EngineConfig.of(TorchDevice.CPU)).close();
    }
  }

  @Test
  void aBareStateDictOfADistributedModelBecomesAModel() throws IOException {
    try (Weights weights = TinyModel.transformerWeights(1);
        Weights stored = weights.renamed("module."::concat)) {
      TorchFile.bare(file, stored);
      assertImported(weights);
    }
  }

  @Test
  void ofWeightsAndAverageInOneStateDictTheAverageIsTaken() throws IOException {
    try (Weights trained = TinyModel.transformerWeights(1);
        Weights averaged = TinyModel.transformerWeights(2);
        Weights stored = trained.renamed("model."::concat);
        Weights also = averaged.renamed("ema."::concat)) {
      stored.share(also);
      TorchFile.lightning(file, stored);
      assertImported(averaged);
      assertTrue(Files.isRegularFile(folder.resolve("model/transformer/model.safetensors")));
    }
  }

  @ParameterizedTest
  @CsvSource({"fp32", "''"})
  void aSecondNameOfATiedTensorIsNoFault(String type) throws IOException {
    try (Weights weights = TinyModel.transformerWeights(1);
        Weights stored = weights.renamed(name -> name)) {
      stored.put("output.weight", new Tensor(weights.get(HEAD)));
      TorchFile.bare(file, stored);
      assertEquals(0, run("model", "inspect", file, "--strict"), said::toString);
      assertImported(weights, type.isEmpty() ? new Object[0] : new Object[] {"--dtype", type});
    }
  }

  @Test
  void anotherTensorThatIsLeftOverIsAFault() throws IOException {
    try (Weights weights = TinyModel.transformerWeights(1)) {
      try (Scope scope = Scope.open()) {
        weights.put("output.weight", weights.get(HEAD).clone());
      }
      TorchFile.bare(file, weights);
      assertEquals(1, run("model", "inspect", file, "--strict"), said::toString);
      assertTrue(said.toString().contains("tensor output.weight is not part"), said::toString);
    }
  }
}
