package io.bitloom.engine.modeldir;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.Engine;
import io.bitloom.engine.EngineConfig;
import io.bitloom.engine.checkpoint.SafetensorsWriter;
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
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class ModelDirectoryTest {
  private static final String TINY =
      """
      {
        "format": 1,
        "name": "tiny",
        "description": "random weights",
        "sizes": ["0.25M", "0.06M"],
        "defaults": {"guidance": 3, "size": "0.06M"},
        "transformer": {
          "config": {
            "embed_dim": 64, "depth": 2, "num_heads": 2, "block_chunks": 2, "text_channels": 128,
            "text_maxlen": 16, "shared_aln": true, "rope2d_each_sa_layer": 1,
            "rope2d_normalized_by_hw": 2
          },
          "weights": {"random": {"seed": 1, "rules": [{"tensors": "*", "gain": 1}]}}
        },
        "tokenizer": {
          "config": {
            "codebook_dim": 8, "patch_size": 16, "base_ch": 32, "ch_mult": [1, 1, 1, 1, 1],
            "num_res_blocks": 1
          },
          "weights": {"random": {"seed": 1, "rules": [{"tensors": "*", "gain": 1}]}}
        },
        "text_encoder": {"type": "hashed_words"}
      }
      """;

  @TempDir private Path folder;

  @Test
  void theBuiltInModelDrawsEverySizeAndSaysThatItsWeightsAreRandom() {
    ModelDirectory demo = ModelDirectory.open(ModelDirectory.UNTRAINED);
    assertEquals("untrained", demo.name());
    assertEquals(SizeClass.ofAllShapes(), demo.sizes());
    assertTrue(demo.description().contains("random weights"), demo.description());
    assertTrue(demo.digest().matches("sha256:[0-9a-f]{64}"), demo.digest());
    demo.verifyFiles();
  }

  @Test
  void settingsDefaultsAndDigestComeFromModelJson() throws IOException {
    ModelDirectory tiny = open(TINY);
    assertEquals(List.of(SizeClass.PIXELS_0_25M, SizeClass.PIXELS_0_06M), tiny.sizes());
    assertEquals(List.of(3.0), tiny.defaults().sampling().guidance());
    assertEquals(8, tiny.transformer().bitsPerToken());
    String digest = tiny.digest();
    assertNotEquals(digest, open(TINY.replace("\"seed\": 1", "\"seed\": 2")).digest());
  }

  @Test
  void randomWeightsAreTheSameEveryTimeAndFollowTheSeed() throws IOException {
    float[] first = headOf(open(TINY));
    assertArrayEquals(first, headOf(open(TINY)));
    float[] other = headOf(open(TINY.replace("\"seed\": 1", "\"seed\": 2")));
    assertNotEquals(first[0], other[0]);
  }

  @Test
  void whatModelJsonGetsWrongIsNamedWithItsValue() {
    assertRefused("\"format\": 1", "\"format\": 2", "format: expected 1, found 2");
    assertRefused("\"name\": \"tiny\"", "\"name\": \"a b\"", "name: expected letters");
    assertRefused("\"0.25M\"", "\"3M\"", "sizes: expected some of 0.06M");
    assertRefused("\"0.25M\"", "\"var256\"", "sizes: the transformer draws 0.06M, 0.25M");
    assertRefused("\"sizes\"", "\"size\"", "size is not known");
    assertRefused("\"guidance\": 3", "\"guidance\": 99", "defaults: sampling.guidance must be 1");
    assertRefused("\"guidance\": 3", "\"prompt\": \"x\"", "defaults: prompt must be empty");
    assertRefused("\"depth\": 2", "\"depth\": 3", "transformer.config: block_chunks");
    assertRefused(
        "\"patch_size\": 16", "\"patch_size\": 15", "patch_size: expected a power of two");
    assertRefused("\"patch_size\": 16", "\"patch_size\": 8", "without spatial patchify");
    assertRefused(
        "\"text_maxlen\": 16", "\"text_maxlen\": 16, \"text_maxlen\": 16", "occurs twice");
    assertRefused("{\n", "[\n", "model.json");
  }

  @Test
  void presetsStandForTheOfficialSettingsAndConfigGoesBeforeThem() throws IOException {
    String json =
        TINY.replaceFirst(
                "(?s)\"config\": \\{.*?\\},",
                "\"preset\": \"infinity_2b\", \"config\": {\"rope2d_normalized_by_hw\": 1},")
            .replaceFirst(
                "(?s)\"config\": \\{\\s+\"codebook.*?\\},", "\"preset\": \"infinity_vae_d32\",");
    ModelDirectory preset = open(json);
    assertEquals(32, preset.transformer().depth());
    assertEquals(1, preset.transformer().ropeMode());
    assertEquals(32, preset.transformer().bitsPerToken());
    assertEquals(128, preset.tokenizer().baseCh());
    assertMessage(
        "transformer.preset: expected one of infinity_layer12",
        () -> open(json.replace("infinity_2b", "infinity_3b")));
    assertMessage(
        "tokenizer.preset: expected infinity_vae_d14",
        () -> open(json.replace("vae_d32", "vae_d33")));
    assertMessage(
        "needs a tokenizer of 32 bits and stride 8; the tokenizer of the same file has 32 bits",
        () -> open(json.replace("infinity_2b", "infinity_8b")));
  }

  @Test
  void anUnknownTextEncoderOrATensorWithoutARuleIsNamed() throws IOException {
    ModelDirectory encoder = open(TINY.replace("hashed_words", "clip"));
    assertMessage("found \"clip\"", () -> encoder.textEncoder(TorchDevice.CPU, DType.F32));
    ModelDirectory rules = open(TINY.replace("\"tensors\": \"*\"", "\"tensors\": \"*.bias\""));
    assertMessage("tensor cfg_uncond: has no random rule", rules::transformerWeights);
  }

  @Test
  void aT5FolderGivesFeaturesIfItsWidthIsTheTransformers() throws IOException {
    Path text = Files.createDirectory(folder.resolve("text"));
    String config = TinyT5.CONFIG.replace("\"d_model\": 128", "\"d_model\": 24");
    Files.writeString(text.resolve("config.json"), TinyT5.CONFIG);
    Files.writeString(text.resolve("wide.json"), config);
    TinyT5.tokenizer(text, "spiece.model");
    save("text/model.safetensors", TinyT5.weights());
    String encoder =
        String.format(
            Locale.ROOT,
            """
        {"type": "t5", "config": "text/config.json", "tokenizer": "text/spiece.model",
         "weights": "text/model.safetensors"}, "sha256": {"text/model.safetensors": "%1$s",
         "text/config.json": "%1$s", "text/wide.json": "%1$s", "text/spiece.model": "%1$s"}
        """,
            "0".repeat(64));
    String json = TINY.replace("{\"type\": \"hashed_words\"}", encoder);

    ModelDirectory fits = open(json);
    try (Scope scope = Scope.open();
        TextEncoder t5 = fits.textEncoder(TorchDevice.CPU, DType.F32)) {
      assertEquals(List.of(4), t5.encode(List.of("a red fox"), 512).lengths());
    }
    ModelDirectory wide =
        open(json.replace("text/config.json\", \"tok", "text/wide.json\", \"tok"));
    assertMessage(
        "the text encoder's features are 24 wide (d_model in text/wide.json), the transformer takes"
            + " 128 (text_channels in transformer.config)",
        () -> wide.textEncoder(TorchDevice.CPU, DType.F32));
    ModelDirectory unlisted = open(json.replace("\"text/spiece.model\": \"", "\"x\": \""));
    assertMessage(
        "text_encoder.tokenizer: \"text/spiece.model\" is not listed",
        () -> unlisted.textEncoder(TorchDevice.CPU, DType.F32));
  }

  @Test
  void wordEmbeddingsAreReadWithTheirVocabularyAndTheirWidthIsCompared() throws IOException {
    Files.writeString(folder.resolve("words.txt"), "fox\nred\n");
    String encoder =
        String.format(
            Locale.ROOT,
            """
        {"type": "word_embeddings", "vocabulary": "words.txt",
         "config": {"width": 128, "depth": 1, "num_heads": 2, "max_length": 8},
         "weights": {"random": {"seed": 1, "rules": [{"tensors": "*", "scale": 1}]}}},
         "sha256": {"words.txt": "%s"}
        """,
            "0".repeat(64));
    String json = TINY.replace("{\"type\": \"hashed_words\"}", encoder);
    try (Scope scope = Scope.open();
        TextEncoder words = open(json).textEncoder(TorchDevice.CPU, DType.F32)) {
      assertEquals(List.of(3, 1), words.encode(List.of("Red fox", ""), 512).lengths());
    }
    ModelDirectory narrow = open(json.replace("\"width\": 128", "\"width\": 64"));
    assertMessage(
        "the text encoder's features are 64 wide (width in text_encoder.config), the transformer"
            + " takes 128",
        () -> narrow.textEncoder(TorchDevice.CPU, DType.F32));
  }

  @Test
  void aFolderWithoutModelJsonIsNoModel() {
    assertMessage(
        "is neither a built-in model (demo, untrained) nor",
        () -> ModelDirectory.open("" + folder));
  }

  @Test
  void weightFilesAreReadIfTheirDigestIsRight() throws IOException {
    save("transformer.safetensors", open(TINY).transformerWeights());
    String json = withFile("transformer.safetensors", digest("transformer.safetensors"));
    ModelDirectory stored = open(json);
    stored.verifyFiles();
    assertArrayEquals(headOf(open(TINY)), headOf(open(json)));

    ModelDirectory other = open(withFile("transformer.safetensors", "0".repeat(64)));
    assertMessage("transformer.safetensors: SHA-256 is ", other::verifyFiles);
  }

  @Test
  void filesThatAreMissingUnlistedOrOutsideTheFolderAreRefused() throws IOException {
    String digest = "0".repeat(64);
    ModelDirectory missing = open(withFile("transformer.safetensors", digest));
    assertMessage("\"transformer.safetensors\" does not exist", missing::transformerWeights);
    assertMessage("\"transformer.safetensors\" does not exist", missing::verifyFiles);

    ModelDirectory outside = open(withFile("../secret.safetensors", digest));
    assertMessage("\"../secret.safetensors\" is outside", outside::transformerWeights);

    ModelDirectory unlisted =
        open(withFile("a.safetensors", digest).replace("\"sha256\": {\"a", "\"sha256\": {\"b"));
    assertMessage("\"a.safetensors\" is not listed", unlisted::transformerWeights);
  }

  @Test
  void aCheckpointOfAnotherArchitectureIsRefusedByTensor() throws IOException {
    save(
        "wide.safetensors",
        open(TINY.replace("64, \"depth\"", "128, \"depth\"")).transformerWeights());
    String json = withFile("wide.safetensors", digest("wide.safetensors"));
    ModelDirectory wide = open(json);
    assertMessage(
        "pos_start: expected shape [1, 1, 64], found [1, 1, 128]",
        () -> Engine.open(wide, EngineConfig.of(TorchDevice.CPU)));
  }

  @Test
  void aTokenizerOfAnotherArchitectureIsRefusedByTensor() throws IOException {
    save(
        "deep.safetensors",
        open(TINY.replace("res_blocks\": 1", "res_blocks\": 2")).tokenizerWeights());
    String json =
        TINY.replaceFirst("(?s)(tokenizer.*)\\{\"random\".*?\\]\\}\\}", "$1\"deep.safetensors\"")
            .replaceFirst(
                "\"text_encoder\"",
                "\"sha256\": {\"deep.safetensors\": \""
                    + digest("deep.safetensors")
                    + "\"}, \"text_encoder\"");
    ModelDirectory deep = open(json);
    assertMessage(
        ".block.1.norm1.norm.weight: is not part of",
        () -> Engine.open(deep, EngineConfig.of(TorchDevice.CPU)));
  }

  private ModelDirectory open(String json) throws IOException {
    Files.writeString(folder.resolve("model.json"), json);
    return ModelDirectory.open(folder.toString());
  }

  private static String withFile(String name, String digest) {
    return TINY.replaceFirst("\\{\"random\".*?\\]\\}\\}", "\"" + name + "\"")
        .replaceFirst(
            "\"text_encoder\"",
            "\"sha256\": {\"" + name + "\": \"" + digest + "\"}, \"text_encoder\"");
  }

  private String digest(String name) throws IOException {
    return Digests.sha256(Files.readAllBytes(folder.resolve(name)));
  }

  private void save(String name, Weights weights) throws IOException {
    try (weights) {
      SafetensorsWriter.write(folder.resolve(name), weights, Map.of());
    }
  }

  private static float[] headOf(ModelDirectory directory) {
    try (Scope scope = Scope.open();
        Weights weights = directory.transformerWeights()) {
      return Tensors.floats(weights.get("head.weight"));
    }
  }

  private void assertRefused(String from, String to, String message) {
    assertMessage(message, () -> open(TINY.replace(from, to)));
  }

  private static void assertMessage(String expected, Executable work) {
    WeightsException refused = assertThrows(WeightsException.class, work);
    assertTrue(refused.getMessage().contains(expected), refused.getMessage());
  }
}
