package io.bitloom.engine.modeldir;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.Engine;
import io.bitloom.engine.EngineConfig;
import io.bitloom.engine.checkpoint.Checkpoint;
import io.bitloom.engine.checkpoint.SafetensorsWriter;
import io.bitloom.engine.checkpoint.TorchFile;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityLayout;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.engine.text.TextEncoder;
import io.bitloom.engine.text.TinyT5;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ModelImportTest {
  private static final String HEAD = "head.weight";

  @TempDir private Path folder;

  private final List<String> progress = new ArrayList<>();
  private Path sources;
  private Path out;

  @BeforeEach
  void prepareFolders() throws IOException {
    sources = Files.createDirectory(folder.resolve("released"));
    out = folder.resolve("models").resolve("tiny");
  }

  @Test
  void theReleasedFilesOfAFolderBecomeAModelThatCanBeLoaded() throws IOException {
    try (Weights transformer = TinyModel.transformerWeights(1);
        Weights tokenizer = TinyModel.tokenizerWeights(TinyModel.BITS)) {
      TorchFile.bare(sources.resolve("infinity_tiny_reg.pth"), transformer);
      TorchFile.under(sources.resolve("infinity_vae_d8.pth"), "vae", tokenizer);
      ModelDirectory model = run(request(sources));
      assertEquals("tiny", model.name());
      assertEquals(TinyModel.transformer(TinyModel.BITS), model.transformer());
      assertEquals(TinyModel.tokenizer(TinyModel.BITS), model.tokenizer());
      assertEquals(List.of(4.0), model.defaults().sampling().guidance());
      model.readFiles();
      try (Weights imported = model.transformerWeights();
          Weights importedTokenizer = model.tokenizerWeights()) {
        assertEqualWeights(transformer, imported);
        assertEqualWeights(tokenizer, importedTokenizer);
      }
      Engine.open(model, EngineConfig.of(TorchDevice.CPU)).close();
    }
  }

  @Test
  void ofATrainingCheckpointTheAverageIsTakenUnlessAnotherSectionIsNamed() throws IOException {
    Path checkpoint = sources.resolve("ar-ckpt-giter001K-ep1-iter9-last.pth");
    try (Weights trained = TinyModel.transformerWeights(1);
        Weights averaged = TinyModel.transformerWeights(2);
        Weights tokenizer = TinyModel.tokenizerWeights(TinyModel.BITS)) {
      Map<String, Weights> trainer = new LinkedHashMap<>();
      trainer.put("gpt_fsdp", trained);
      trainer.put("gpt_ema_fsdp", averaged);
      trainer.put("vae_local", tokenizer);
      TorchFile.training(checkpoint, trainer);
      assertImported(averaged, run(request(checkpoint)));
      assertTrue(
          progress.stream().anyMatch(line -> line.contains("takes trainer.gpt_ema_fsdp of")),
          progress.toString());

      out = folder.resolve("trained");
      ModelImport.Request request = request(checkpoint);
      assertImported(trained, run(withSection(request, "trainer.gpt_fsdp")));
    }
  }

  @Test
  void learnedPositionsAreSeenInTheTensors() throws IOException {
    JsonObject settings = TinyModel.json(TinyModel.TRANSFORMER);
    settings.addProperty("rope2d_each_sa_layer", 0);
    settings.remove("rope2d_normalized_by_hw");
    InfinityConfig config = InfinityConfig.parse(settings, TinyModel.BITS);
    try (Weights weights = TinyModel.weights(InfinityLayout.of(config), 1)) {
      SafetensorsWriter.write(sources.resolve("transformer.safetensors"), weights, Map.of());
    }
    writeTokenizer(TinyModel.BITS);
    ModelDirectory model = run(request(sources));
    assertEquals(config, model.transformer());
    Engine.open(model, EngineConfig.of(TorchDevice.CPU)).close();
  }

  @Test
  void weightsBeforeTheAverageAreTakenWhereThereIsNoAverage() throws IOException {
    Path checkpoint = sources.resolve("ckpt-last.pth");
    try (Weights trained = TinyModel.transformerWeights(1);
        Weights tokenizer = TinyModel.tokenizerWeights(TinyModel.BITS)) {
      TorchFile.training(checkpoint, Map.of("gpt_wo_ddp", trained));
      SafetensorsWriter.write(sources.resolve("vae.safetensors"), tokenizer, Map.of());
      assertImported(trained, run(request(sources)));
    }
  }

  @Test
  void aTokenizerWithoutInfixesIsTheSameTokenizer() throws IOException {
    try (Weights tokenizer = TinyModel.tokenizerWeights(TinyModel.BITS);
        Weights bare =
            tokenizer.renamed(
                name ->
                    name.replace(".conv.weight", ".weight")
                        .replace(".conv.bias", ".bias")
                        .replace(".norm.weight", ".weight")
                        .replace(".norm.bias", ".bias"))) {
      writeTransformer(DType.F32);
      TorchFile.under(sources.resolve("vae.pth"), "vae", bare);
      ModelDirectory model = run(request(sources));
      assertEquals(TinyModel.tokenizer(TinyModel.BITS), model.tokenizer());
      Engine.open(model, EngineConfig.of(TorchDevice.CPU)).close();
    }
  }

  @Test
  void theTextEncoderInAFolderOfTheSourcesComesAlongWithItsTokenizer() throws IOException {
    writeTransformer(DType.F32);
    writeTokenizer(TinyModel.BITS);
    Path text = Files.createDirectory(sources.resolve("flan-t5-tiny"));
    Files.writeString(text.resolve("config.json"), TinyT5.CONFIG);
    TinyT5.tokenizer(text, "tokenizer.json");
    try (Weights weights = TinyT5.weights()) {
      SafetensorsWriter.write(text.resolve("model.safetensors"), weights, Map.of());
      TorchFile.bare(text.resolve("pytorch_model.bin"), weights); // the other format, as released
    }
    ModelDirectory model = run(request(sources));
    assertTrue(Files.exists(out.resolve("text").resolve("tokenizer.json")));
    assertFalse(Files.exists(out.resolve("text").resolve("pytorch_model.bin")));
    try (Scope scope = Scope.open();
        TextEncoder encoder = model.textEncoder(TorchDevice.CPU, DType.F32)) {
      assertEquals(128, encoder.encode(List.of("a red fox"), 16).channels());
    }
    FileInspection.Request strict =
        new FileInspection.Request(null, GivenSettings.none(), null, true);
    List<FileInspection> inspected = FileInspection.of(out, strict);
    assertEquals(3, inspected.size());
    inspected.forEach(file -> assertEquals(List.of(), file.faults()));
  }

  @Test
  void aTextEncoderOfAnotherWidthThanTheTransformerReadsIsRefused() throws IOException {
    writeTransformer(DType.F32);
    writeTokenizer(TinyModel.BITS);
    Path text = Files.createDirectory(sources.resolve("t5"));
    Files.writeString(text.resolve("config.json"), TinyT5.CONFIG.replace("128", "64"));
    TinyT5.tokenizer(text, "tokenizer.json");
    try (Weights weights = TinyT5.weights()) {
      SafetensorsWriter.write(text.resolve("model.safetensors"), weights, Map.of());
    }
    assertRefused(request(sources), "expected shape [500, 64], found [500, 128]");
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16", "F16"})
  void shardsOfBothFormatsInEveryTypeAreReadAsOneModel(DType dtype) throws IOException {
    writeTokenizer(TinyModel.BITS);
    Path shards = Files.createDirectory(sources.resolve("infinity_tiny_weights"));
    try (Weights weights = TinyModel.transformerWeights(1);
        Weights stored = TinyModel.as(weights, dtype)) {
      SafetensorsWriter.writeFolder(shards, stored, Map.of(), null, 100_000);
      assertTrue(Files.exists(shards.resolve("model.safetensors.index.json")));
      assertImported(stored, run(request(sources)));

      out = folder.resolve("torch");
      Path torch = Files.createDirectory(folder.resolve("torch-shards"));
      Path index = writeTorchShards(torch, stored);
      assertImported(stored, run(request(index, sources.resolve("vae.safetensors"))));
    }
  }

  @Test
  void weightsAreConvertedTensorByTensorWhereATypeIsAskedFor() throws IOException {
    writeTransformer(DType.F32);
    writeTokenizer(TinyModel.BITS);
    ModelDirectory model =
        run(placed(request(sources), new Placement(Placement.Link.NONE, DType.BF16)));
    try (Weights expected = TinyModel.transformerWeights(1);
        Weights rounded = TinyModel.as(expected, DType.BF16);
        Weights imported = model.transformerWeights()) {
      assertEqualWeights(rounded, imported);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Placement.Link.class,
      names = {"HARD", "SYMBOLIC"})
  void linkedFilesAreNotCopied(Placement.Link link) throws IOException {
    writeTransformer(DType.F32);
    writeTokenizer(TinyModel.BITS);
    ModelDirectory model = run(placed(request(sources), new Placement(link, null)));
    Path linked = out.resolve("transformer").resolve("transformer.safetensors");
    assertTrue(Files.isSameFile(linked, sources.resolve("transformer.safetensors")));
    assertEquals(link == Placement.Link.SYMBOLIC, Files.isSymbolicLink(linked));
    model.readFiles();
  }

  @Test
  void ofSeveralTokenizersTheOneWithTheTransformersBitsIsTaken() throws IOException {
    writeTransformer(DType.F32);
    writeTokenizer(TinyModel.BITS);
    try (Weights other = TinyModel.tokenizerWeights(16)) {
      SafetensorsWriter.write(sources.resolve("vae_d16.safetensors"), other, Map.of());
    }
    assertEquals(TinyModel.BITS, run(request(sources)).tokenizer().codebookDim());
  }

  @Test
  void aTransformerAndATokenizerOfOtherBitsAreRefusedSayingWhichIsWhich() throws IOException {
    writeTransformer(DType.F32);
    writeTokenizer(16);
    assertRefused(
        request(sources),
        "transformer.safetensors: the transformer and the tokenizer do not belong together",
        "the transformer decides 8 bits per token without spatial patchify",
        "needs a tokenizer of 8 bits and stride 16",
        "vae.safetensors has 16 bits and stride 16");
  }

  @Test
  void severalTransformersOrNoneAreRefusedNamingTheOption() throws IOException {
    writeTokenizer(TinyModel.BITS);
    assertRefused(request(sources), "no transformer was found, name one with --transformer");
    writeTransformer(DType.F32);
    Files.copy(
        sources.resolve("transformer.safetensors"), sources.resolve("transformer2.safetensors"));
    assertRefused(request(sources), "several files hold a transformer", "transformer2.safetensors");
  }

  @Test
  void aTensorThatIsNotFiniteOrMissingOrLeftOverIsRefusedAndNothingIsLeftBehind()
      throws IOException {
    writeTokenizer(TinyModel.BITS);
    try (Weights weights = TinyModel.transformerWeights(1);
        Scope scope = Scope.open()) {
      weights.get(HEAD).view(-1).select(0, 3).fill_(new org.bytedeco.pytorch.Scalar(Double.NaN));
      SafetensorsWriter.write(sources.resolve("transformer.safetensors"), weights, Map.of());
      assertRefused(request(sources), "tensor head.weight holds values that are not finite");
      weights.take(HEAD, 16, 64).close();
      SafetensorsWriter.write(sources.resolve("transformer.safetensors"), weights, Map.of());
      assertRefused(request(sources), "tensor head.weight is missing, expected shape [16, 64]");
      weights.put(HEAD, Tensors.of(new float[16 * 64], 16, 64));
      weights.put("novelty", Tensors.of(new float[1], 1));
      SafetensorsWriter.write(sources.resolve("transformer.safetensors"), weights, Map.of());
      assertRefused(request(sources), "tensor novelty is not part of this architecture");
    }
  }

  @Test
  void aDirectoryThatHoldsSomethingIsLeftAlone() throws IOException {
    writeTransformer(DType.F32);
    writeTokenizer(TinyModel.BITS);
    Files.createDirectories(out);
    Files.writeString(out.resolve("thesis.txt"), "precious");
    WeightsException refused = assertThrows(WeightsException.class, () -> run(request(sources)));
    assertTrue(refused.getMessage().contains("already exists"), refused.getMessage());
    assertEquals("precious", Files.readString(out.resolve("thesis.txt")));
    assertEquals(1, count(out.getParent()));
  }

  @Test
  void whatCannotBeSeenInTheTensorsIsTakenFromTheGivenSettings() throws IOException {
    writeTransformer(DType.F32);
    writeTokenizer(TinyModel.BITS);
    Path config = folder.resolve("config.json");
    Files.writeString(config, "{\"rope2d_normalized_by_hw\": 1, \"norm_eps\": 0.001}");
    ModelImport.Request request = request(sources);
    ModelDirectory model =
        run(
            new ModelImport.Request(
                request.sources(),
                request.transformer(),
                request.tokenizer(),
                request.text(),
                request.classes(),
                request.section(),
                GivenSettings.read(config),
                "named",
                "described",
                List.of(SizeClass.PIXELS_0_25M),
                request.placement()));
    assertEquals(1, model.transformer().ropeMode());
    assertEquals(1e-3, model.transformer().normEps());
    assertEquals("named", model.name());
    assertEquals("described", model.description());
    assertEquals(List.of(SizeClass.PIXELS_0_25M), model.sizes());
  }

  private void writeTransformer(DType dtype) throws IOException {
    try (Weights weights = TinyModel.transformerWeights(1);
        Weights stored = TinyModel.as(weights, dtype)) {
      SafetensorsWriter.write(sources.resolve("transformer.safetensors"), stored, Map.of());
    }
  }

  private void writeTokenizer(int bits) throws IOException {
    try (Weights weights = TinyModel.tokenizerWeights(bits)) {
      SafetensorsWriter.write(sources.resolve("vae.safetensors"), weights, Map.of());
    }
  }

  /** Two files and an index, as Hugging Face shards PyTorch models. */
  private static Path writeTorchShards(Path folder, Weights weights) throws IOException {
    Weights[] shards = {new Weights("0"), new Weights("1")};
    StringBuilder map = new StringBuilder();
    int next = 0;
    for (String name : weights.names()) {
      int shard = next++ % 2;
      try (Scope scope = Scope.open()) {
        shards[shard].put(name, weights.get(name).clone());
      }
      map.append(map.isEmpty() ? "" : ",").append('"').append(name).append("\":");
      map.append("\"pytorch_model-").append(shard).append(".bin\"");
    }
    for (int shard = 0; shard < 2; shard++) {
      TorchFile.bare(folder.resolve("pytorch_model-" + shard + ".bin"), shards[shard]);
      shards[shard].close();
    }
    return Files.writeString(
        folder.resolve("pytorch_model.bin.index.json"), "{\"weight_map\": {" + map + "}}");
  }

  private ModelImport.Request request(Path... sources) {
    return new ModelImport.Request(
        List.of(sources),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        GivenSettings.none(),
        "",
        "",
        List.of(),
        Placement.COPY);
  }

  private static ModelImport.Request withSection(ModelImport.Request request, String section) {
    return new ModelImport.Request(
        request.sources(),
        request.transformer(),
        request.tokenizer(),
        request.text(),
        request.classes(),
        Optional.of(section),
        request.settings(),
        request.name(),
        request.description(),
        request.sizes(),
        request.placement());
  }

  private static ModelImport.Request placed(ModelImport.Request request, Placement placement) {
    return new ModelImport.Request(
        request.sources(),
        request.transformer(),
        request.tokenizer(),
        request.text(),
        request.classes(),
        request.section(),
        request.settings(),
        request.name(),
        request.description(),
        request.sizes(),
        placement);
  }

  private ModelDirectory run(ModelImport.Request request) {
    return ModelImport.run(request, out, progress::add);
  }

  private void assertRefused(ModelImport.Request request, String... messages) throws IOException {
    WeightsException refused = assertThrows(WeightsException.class, () -> run(request));
    for (String message : messages) {
      assertTrue(refused.getMessage().contains(message), refused.getMessage());
    }
    assertFalse(Files.exists(out));
    assertEquals(0, Files.exists(out.getParent()) ? count(out.getParent()) : 0);
  }

  private static long count(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.count();
    }
  }

  private static void assertImported(Weights expected, ModelDirectory model) {
    assertEquals(
        Checkpoint.BARE,
        model.checkpoint(Role.TRANSFORMER).orElseThrow().section(),
        "copied whole");
    try (Weights imported = model.transformerWeights()) {
      assertEqualWeights(expected, imported);
    }
  }

  private static void assertEqualWeights(Weights expected, Weights found) {
    assertEquals(expected.names(), found.names());
    for (String name : expected.names()) {
      assertEquals(Tensors.dtype(expected.get(name)), Tensors.dtype(found.get(name)), name);
      assertArrayEquals(expected.get(name).shape(), found.get(name).shape(), name);
      assertArrayEquals(Tensors.floats(expected.get(name)), Tensors.floats(found.get(name)), name);
    }
  }
}
