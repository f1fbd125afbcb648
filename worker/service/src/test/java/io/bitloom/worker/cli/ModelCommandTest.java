package io.bitloom.worker.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.engine.checkpoint.PickleBytes;
import io.bitloom.engine.checkpoint.SafetensorsWriter;
import io.bitloom.engine.checkpoint.TorchFile;
import io.bitloom.engine.checkpoint.ZipBytes;
import io.bitloom.engine.modeldir.TinyModel;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.worker.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ModelCommandTest {
  private static final String HEAD = "head.weight";

  @TempDir private Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private Path transformer;
  private Path tokenizer;

  @BeforeEach
  void writeAModel() throws IOException {
    transformer = folder.resolve("transformer.pth");
    tokenizer = folder.resolve("vae.safetensors");
    try (Weights weights = TinyModel.transformerWeights(1);
        Weights vae = TinyModel.tokenizerWeights(TinyModel.BITS)) {
      TorchFile.bare(transformer, weights);
      SafetensorsWriter.write(tokenizer, vae, Map.of());
    }
  }

  private int run(Object... arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return Main.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(Stream.of(arguments).map(String::valueOf).toArray(String[]::new));
  }

  @Test
  void inspectListsTensorsAndTheArchitectureThatTheyMake() {
    assertEquals(0, run("model", "inspect", transformer));
    String text = out.toString();
    assertTrue(text.contains("  word_embed.weight"), text);
    assertTrue(text.contains("64 × 8"), text);
    assertTrue(text.contains("transformer.pth: transformer, "), text);
    assertTrue(text.contains("embed_dim 64, depth 4, num_heads 2, block_chunks 2"), text);
    assertTrue(text.contains("cannot be seen in the tensors"), text);
  }

  @Test
  void builtInModelsAreNamedAsForAnyOtherCommand() {
    assertEquals(0, run("model", "inspect", "demo", "--strict", "--summary"), err::toString);
    assertTrue(out.toString().contains("transformer, 7.20 million"), out.toString());

    Path copy = folder.resolve("copy");
    assertEquals(0, run("model", "convert", "demo", "--out", copy, "--dtype", "bf16"));
    assertEquals(0, run("model", "inspect", copy, "--strict"), out::toString);

    assertEquals(2, run("model", "import", "demo", "--out", folder.resolve("imported")));
    assertTrue(err.toString().contains("\"model convert demo\" writes it"), err.toString());
  }

  @Test
  void inspectStrictlyAgreesWithAWholeModelAsTextAndAsJson() {
    assertEquals(0, run("model", "inspect", folder, "--strict", "--summary"), out::toString);
    assertEquals(2, out.toString().lines().filter(line -> line.startsWith("  ok ")).count());
    assertEquals(0, run("model", "inspect", transformer, "--json", "--strict"));
    JsonObject document = JsonParser.parseString(out.toString()).getAsJsonObject();
    assertTrue(document.get("holds").getAsBoolean());
    JsonObject file = document.getAsJsonArray("files").get(0).getAsJsonObject();
    assertEquals("transformer", file.get("role").getAsString());
    JsonObject settings = file.getAsJsonObject("architecture").getAsJsonObject("settings");
    assertEquals(64, settings.get("embed_dim").getAsInt());
    assertFalse(file.getAsJsonArray("tensors").isEmpty());
  }

  static Stream<Arguments> faults() {
    return Stream.of(
        fault("missing", weights -> weights.take(HEAD, 16, 64).close(), HEAD + " is missing"),
        fault("extra", put("x", 3), "tensor x is not part of this architecture"),
        fault("shape", transposed(HEAD, 16, 64), HEAD + ": expected shape [16, 64]"),
        fault("stray", put("block_chunks.7.module.0.ada_gss", 1), "7.module.0.ada_gss is not part"),
        fault("type", cast(HEAD, DType.F64), HEAD + " is of type F64, expected F32"),
        fault("mixed", cast(HEAD, DType.F16), HEAD + " is of type F16 among tensors of type F32"),
        fault("nan", fill("pos_start", Double.NaN), "pos_start holds values that are not finite"),
        fault("infinity", fill("pos_start", Double.NEGATIVE_INFINITY), "pos_start holds values"),
        fault("k bias", fill("text_proj_for_sos.ca.zero_k_bias", 1), "zero_k_bias is not zero"));
  }

  private static Arguments fault(String what, Consumer<Weights> change, String message) {
    return Arguments.of(what, change, message);
  }

  private static Consumer<Weights> put(String name, int size) {
    return weights -> weights.put(name, Tensors.of(new float[size], size));
  }

  private static Consumer<Weights> transposed(String name, int rows, int columns) {
    return weights -> {
      weights.take(name, rows, columns).close();
      weights.put(name, Tensors.of(new float[rows * columns], columns, rows));
    };
  }

  private static Consumer<Weights> fill(String name, double value) {
    return weights -> weights.get(name).fill_(new Scalar(value));
  }

  private static Consumer<Weights> cast(String name, DType dtype) {
    return weights -> {
      try (Tensor tensor = weights.take(name, weights.get(name).shape())) {
        weights.put(name, Tensors.to(tensor, dtype));
      }
    };
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("faults")
  void inspectStrictlyNamesFileAndTensorOfEveryFault(
      String what, Consumer<Weights> change, String message) throws IOException {
    Path broken = folder.resolve("broken.pth");
    try (Weights weights = TinyModel.transformerWeights(1);
        Scope scope = Scope.open()) {
      change.accept(weights);
      TorchFile.bare(broken, weights);
    }
    assertEquals(1, run("model", "inspect", broken, "--strict", "--summary"));
    String text = out.toString();
    assertTrue(text.contains("FAULT " + broken + ": tensor "), text);
    assertTrue(text.contains(message), text);
    assertEquals("", err.toString());
  }

  @Test
  void aFileOfAnotherRoleThanTheNamedOneIsRefused() {
    assertEquals(1, run("model", "inspect", tokenizer, "--role", "transformer", "--strict"));
    assertTrue(out.toString().contains("has no blocks of a transformer"), out.toString());
  }

  @Test
  void aModelDirectoryIsInspectedAgainstItsOwnSettingsAndDigests() throws IOException {
    Path model = folder.resolve("model");
    assertEquals(0, run("model", "import", transformer, tokenizer, "--out", model));
    assertEquals(0, run("model", "inspect", model, "--strict", "--summary"), out::toString);
    Path stored = model.resolve("tokenizer").resolve("vae.safetensors");
    byte[] bytes = Files.readAllBytes(stored);
    bytes[bytes.length - 1] ^= 1;
    Files.write(stored, bytes);
    assertEquals(1, run("model", "inspect", model, "--strict"));
    assertTrue(err.toString().contains("vae.safetensors: SHA-256 is "), err.toString());
  }

  @Test
  void convertWritesSafetensorsOfTheTypeWithShardsAndRefusesWhatIsThere() throws IOException {
    Path file = folder.resolve("out.safetensors");
    assertEquals(0, run("model", "convert", transformer, "--out", file, "--dtype", "bf16"));
    assertEquals(0, run("model", "inspect", file, "--strict", "--summary"), out::toString);
    assertTrue(out.toString().contains(" BF16)"), out.toString());
    assertEquals(1, run("model", "convert", transformer, "--out", file));
    assertTrue(err.toString().contains("out.safetensors: already exists"), err.toString());

    Path shards = folder.resolve("shards");
    assertEquals(
        0, run("model", "convert", transformer, "--out", shards, "--shard-size", "0.0002"));
    assertEquals(0, run("model", "inspect", shards, "--strict"), out::toString);
    assertTrue(list(shards).contains("model.safetensors.index.json"), "" + list(shards));
    assertTrue(list(shards).size() > 4, "" + list(shards));
  }

  @Test
  void aModelDirectoryIsConvertedWholeWithItsDigests() throws IOException {
    Path model = folder.resolve("model");
    Path half = folder.resolve("half");
    Path file = folder.resolve("transformer.safetensors");
    Path other = folder.resolve("tokenizer.safetensors");
    assertEquals(0, run("model", "convert", transformer, "--out", file));
    assertEquals(0, run("model", "convert", tokenizer, "--out", other));
    assertEquals(0, run("model", "import", file, other, "--out", model));
    assertEquals(0, run("model", "convert", model, "--out", half, "--dtype", "fp16"));
    assertEquals(0, run("model", "inspect", half, "--strict", "--summary"), out::toString);
    assertTrue(out.toString().contains(" F16)"), out.toString());
    assertEquals(list(model), list(half));

    assertEquals(1, run("model", "convert", model, "--out", half));
    assertTrue(err.toString().contains("already exists"), err.toString());
    assertEquals(2, run("model", "convert", model, "--out", folder, "--section", "vae"));

    Path official = folder.resolve("official");
    assertEquals(0, run("model", "import", transformer, other, "--out", official));
    List<String> before = list(folder);
    assertEquals(1, run("model", "convert", official, "--out", folder.resolve("new")));
    assertTrue(err.toString().contains(".pth\" is not safetensors"), err.toString());
    assertEquals(before, list(folder));
  }

  @Test
  void theIndexOfAConvertedModelTellsTheSizeOfItsShards() throws IOException {
    Path shards = folder.resolve("shards");
    Path other = folder.resolve("tokenizer.safetensors");
    Path model = folder.resolve("model");
    Path half = folder.resolve("half");
    assertEquals(
        0, run("model", "convert", transformer, "--out", shards, "--shard-size", "0.0002"));
    assertEquals(0, run("model", "convert", tokenizer, "--out", other));
    assertEquals(0, run("model", "import", shards, other, "--out", model), err::toString);
    assertEquals(0, run("model", "convert", model, "--out", half, "--dtype", "fp16"));
    assertEquals(0, run("model", "inspect", half, "--strict"), out::toString);
    assertEquals(totalSize(model), 2 * totalSize(half));
  }

  private static long totalSize(Path model) throws IOException {
    try (Stream<Path> files = Files.walk(model)) {
      Path index =
          files.filter(file -> file.toString().endsWith(".index.json")).findFirst().orElseThrow();
      return JsonParser.parseString(Files.readString(index))
          .getAsJsonObject()
          .getAsJsonObject("metadata")
          .get("total_size")
          .getAsLong();
    }
  }

  @Test
  void aValueBeyondTheRangeOfTheTypeIsRefusedAndNothingIsWritten() throws IOException {
    try (Weights weights = TinyModel.transformerWeights(1);
        Scope scope = Scope.open()) {
      fill("pos_start", 1e6).accept(weights);
      TorchFile.bare(transformer, weights);
    }
    List<String> before = list(folder);
    Path target = folder.resolve("half");
    assertEquals(1, run("model", "convert", transformer, "--out", target, "--dtype", "fp16"));
    assertTrue(err.toString().contains("tensor pos_start: holds values beyond"), err.toString());
    assertEquals(before, list(folder));
  }

  static Stream<Arguments> hostileFiles() {
    byte[] code = new PickleBytes().global("os", "system").text("touch pwned").end();
    byte[] archive = new ZipBytes().add("a/data.pkl", code).bytes();
    return Stream.of(
        hostile("code.pth", archive, "without a state dict"),
        hostile("empty.pth", new byte[0], "this file is empty"),
        hostile("text.safetensors", bytes("not a model"), "this is text"),
        hostile("zip.pth", new ZipBytes().add("../x", new byte[9]).bytes(), "is unsafe"),
        hostile("up.index.json", bytes("{\"weight_map\": {\"a\": \"../b\"}}"), "plain name"),
        hostile("map.index.json", bytes("{\"weight_map\": 7}"), "weight_map is missing"),
        hostile("deep.index.json", bytes("[".repeat(100_000)), "expected a JSON object"),
        hostile(
            "gone.index.json",
            bytes("{\"weight_map\": {\"a\": \"b\"}}"),
            "b, which does not exist"),
        hostile("a.rule.json", bytes("{\"seed\": 1}"), "is missing"),
        hostile("huge.safetensors", header(Long.MAX_VALUE), "header length"));
  }

  private static Arguments hostile(String name, byte[] content, String message) {
    return Arguments.of(name, content, message);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }

  private static byte[] header(long length) {
    return ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("hostileFiles")
  void aHostileFileIsRefusedByEveryCommandAndLeavesNothing(
      String name, byte[] content, String message) throws IOException {
    Path hostile = Files.write(folder.resolve(name), content);
    Path target = folder.resolve("target");
    List<String> before = list(folder);
    List<List<Object>> commands =
        List.of(
            List.of("model", "inspect", hostile, "--strict"),
            List.of("model", "inspect", hostile, "--role", "transformer"),
            List.of("model", "convert", hostile, "--out", target),
            List.of("model", "import", hostile, tokenizer, "--out", target),
            List.of("model", "import", transformer, "--tokenizer", hostile, "--out", target),
            List.of("model", "import", folder, "--out", target));
    for (List<Object> command : commands) {
      assertEquals(1, run(command.toArray()), command::toString);
      String said = out.toString() + err;
      assertTrue(said.contains(name) && said.contains(message), said);
      assertFalse(said.contains("\tat "), said);
      assertEquals(before, list(folder), command::toString);
    }
    assertFalse(Files.exists(Path.of("pwned")));
  }

  @Test
  void wrongUsageIsToldFromAFaultOfAFile() {
    Path target = folder.resolve("target");
    assertEquals(2, run("model"));
    assertEquals(2, run("model", "inspect", folder.resolve("nothing")));
    assertEquals(2, run("model", "inspect", transformer, "--role", "poet"));
    assertEquals(2, run("model", "import", transformer));
    assertEquals(2, run("model", "import", "--out", target));
    assertEquals(2, run("model", "import", transformer, "--out", target, "--sizes", "3M"));
    assertEquals(2, run("model", "import", folder, "--out", target, "--link", "--dtype", "bf16"));
    assertEquals(2, run("model", "convert", transformer, "--out", target, "--dtype", "int4"));
    assertFalse(Files.exists(target));
  }

  private static List<String> list(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.map(file -> folder.relativize(file).toString()).sorted().toList();
    }
  }
}
