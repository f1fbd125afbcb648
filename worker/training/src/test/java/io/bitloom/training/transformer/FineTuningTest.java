package io.bitloom.training.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.checkpoint.SafetensorsWriter;
import io.bitloom.engine.modeldir.GivenSettings;
import io.bitloom.engine.modeldir.ModelConversion;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.modeldir.ModelImport;
import io.bitloom.engine.modeldir.Placement;
import io.bitloom.engine.modeldir.TinyModel;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.text.TextEncoder;
import io.bitloom.engine.text.TinyT5;
import io.bitloom.training.config.ConfigFileException;
import io.bitloom.training.data.DrawnPictures;
import io.bitloom.training.data.FeatureCache;
import io.bitloom.training.distributed.Processes;
import io.bitloom.training.run.Learner;
import io.bitloom.training.run.TrainingLoop;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training that goes on from a model directory with a text encoder that has weights. */
class FineTuningTest {
  @TempDir private Path folder;

  @BeforeEach
  void importAModelWithT5() throws IOException {
    Path sources = Files.createDirectory(folder.resolve("released"));
    Path text = Files.createDirectory(sources.resolve("t5"));
    Files.writeString(text.resolve("config.json"), TinyT5.CONFIG);
    TinyT5.tokenizer(text, "tokenizer.json");
    try (Weights transformer = TinyModel.transformerWeights(1);
        Weights tokenizer = TinyModel.tokenizerWeights(TinyModel.BITS);
        Weights encoder = TinyT5.weights()) {
      SafetensorsWriter.write(sources.resolve("transformer.safetensors"), transformer, Map.of());
      SafetensorsWriter.write(sources.resolve("vae.safetensors"), tokenizer, Map.of());
      SafetensorsWriter.write(text.resolve("model.safetensors"), encoder, Map.of());
    }
    ModelImport.run(request(sources), folder.resolve("start"), line -> {});
    Files.createDirectory(folder.resolve("set"));
    DrawnPictures.write(folder.resolve("set"), 2);
  }

  private static ModelImport.Request request(Path sources) {
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
        List.of(SizeClass.PIXELS_0_06M),
        Placement.COPY);
  }

  private Path config(String run, String more) throws IOException {
    Path file = folder.resolve(run + ".yaml");
    Files.writeString(
        file,
        String.format(
            Locale.ROOT,
            """
            folder: %s
            steps: 2
            start_from: start
            objective: {scales: 3}
            data: {path: set, batch_tokens: 600, cache: cache, text_cache: texts}
            %s
            """,
            run,
            more));
    return file;
  }

  private void train(Path config) throws IOException {
    TransformerJob job = TransformerJob.read(config);
    try (Processes alone = Processes.alone();
        Learner learner = job.learner(alone)) {
      TrainingLoop run =
          new TrainingLoop(job.run(), job.identity(), learner, alone, job.data(), line -> {});
      assertEquals(TrainingLoop.Outcome.FINISHED, run.run());
    }
  }

  @Test
  void theTextEncoderOfTheStartIsUsedKeptAndItsFeaturesAreStored() throws IOException {
    train(config("first", "lora: {rank: 2}"));
    ModelDirectory start = ModelDirectory.open(folder.resolve("start").toString());
    ModelDirectory trained = ModelDirectory.open(folder.resolve("first/model").toString());
    trained.readFiles();
    assertEquals(start.textEncoderSettings(), trained.textEncoderSettings());
    try (Scope scope = Scope.open();
        TextEncoder expected = start.textEncoder(TorchDevice.CPU, DType.F32);
        TextEncoder found = trained.textEncoder(TorchDevice.CPU, DType.F32)) {
      assertArrayEquals(
          Tensors.floats(expected.encode(List.of("a red circle"), 16).rows()),
          Tensors.floats(found.encode(List.of("a red circle"), 16).rows()));
    }
    assertTrue(files(folder.resolve("texts")) > 0);
    train(config("second", "lora: {rank: 2}")); // with the stored features
    assertArrayEquals(
        Files.readAllBytes(folder.resolve("first/model/transformer.safetensors")),
        Files.readAllBytes(folder.resolve("second/model/transformer.safetensors")));
  }

  @Test
  void picturesAreEncodedInFloat32WhateverTheStartsPrecision() throws IOException {
    ModelConversion.writeModel(folder.resolve("start"), folder.resolve("half"), DType.F16);
    Path config = config("first", "lora: {rank: 2}");
    Files.writeString(
        config, Files.readString(config).replace("start_from: start", "start_from: half"));
    train(config);
    FeatureCache cache = new FeatureCache(folder.resolve("cache"), "");
    try (Stream<Path> files = Files.walk(folder.resolve("cache"))) {
      List<Path> keys = files.filter(Files::isRegularFile).toList();
      assertFalse(keys.isEmpty());
      for (Path key : keys) {
        float[] features = cache.find(key.getFileName().toString()).orElseThrow();
        boolean finer = false; // than halves, whose last 13 bits as float32 are zero
        for (float feature : features) {
          finer |= (Float.floatToRawIntBits(feature) & 0x1fff) != 0;
        }
        assertTrue(finer, key::toString);
      }
    }
  }

  @Test
  void wordEmbeddingsLearnOnOnlyWhereTheyAreAskedTo() throws IOException {
    Path first =
        config(
            "first",
            """
            text_encoder: {type: word_embeddings, vocabulary: 8, num_heads: 2}
            transformer: {embed_dim: 128, depth: 1, num_heads: 2, text_channels: 128, text_maxlen: 8, rope2d_each_sa_layer: 1}
            tokenizer: start
            optimizer: {learning_rate: 1e-2}
            """);
    train(edited(first, "start_from: start\n", "", ", text_cache: texts", ""));
    Path second = config("second", "optimizer: {learning_rate: 1e-2}");
    train(edited(second, "start_from: start", "start_from: first/model"));
    Path third =
        config(
            "third",
            "text_encoder: {learn: true, relative_buckets: 4}\noptimizer: {learning_rate: 1e-2}");
    train(edited(third, "start_from: start", "start_from: first/model", ", text_cache: texts", ""));
    Path text = Path.of("model", "text_encoder.safetensors");
    byte[] learnt = Files.readAllBytes(folder.resolve("first").resolve(text));
    assertArrayEquals(learnt, Files.readAllBytes(folder.resolve("second").resolve(text)));
    assertFalse(Arrays.equals(learnt, Files.readAllBytes(folder.resolve("third").resolve(text))));
    ModelDirectory model = ModelDirectory.open(folder.resolve("third/model").toString());
    model.readFiles();
    assertArrayEquals(
        Files.readAllBytes(folder.resolve("first/model/vocabulary.txt")),
        Files.readAllBytes(folder.resolve("third/model/vocabulary.txt")));
    model.textEncoder(TorchDevice.CPU, DType.F32).close();
    assertEquals(4, model.wordEmbeddings().config().relativeBuckets());
  }

  private static Path edited(Path file, String... changes) throws IOException {
    String text = Files.readString(file);
    for (int i = 0; i < changes.length; i += 2) {
      assertTrue(text.contains(changes[i]), changes[i]);
      text = text.replace(changes[i], changes[i + 1]);
    }
    return Files.writeString(file, text);
  }

  private static long files(Path folder) throws IOException {
    try (Stream<Path> entries = Files.walk(folder)) {
      return entries.filter(Files::isRegularFile).count();
    }
  }

  @Test
  void whatDoesNotFitTheStartIsRefusedByLineAndField() throws IOException {
    assertRefused("text_encoder: {type: word_embeddings}", "text_encoder.type: is that of start");
    assertRefused("text_encoder: {learn: true}", "only word embeddings can, and start_from has t5");
    assertRefused("lora: {targets: [mlp]}", "no block has \"mlp\"");
    assertRefused("lora: {rank: 0}", "lora.rank: expected");
    assertRefused("lora: {rank: 2}\noptimizer: {type: muon}", "lora: is learnt by AdamW");
    assertRefused("transformer: {depth: 2}", "transformer: is that of start_from");
  }

  @Test
  void bitsCannotBeWeighedWhereThereAreNone() throws IOException {
    Path file =
        config(
            "indices",
            "transformer: {use_bit_label: false, embed_dim: 128, depth: 1, num_heads: 2,"
                + " text_channels: 128, text_maxlen: 8, rope2d_each_sa_layer: 1}");
    edited(file, "start_from: start", "tokenizer: start", "scales: 3", "weigh_bits: true");
    ConfigFileException fault =
        assertThrows(ConfigFileException.class, () -> TransformerJob.read(file));
    assertTrue(fault.getMessage().contains("weigh_bits: use_bit_label is off"), fault::getMessage);
  }

  @Test
  void aTokenizerWithoutTheSmallScalesIsRefused() throws IOException {
    String architecture =
        """
        {"codebook_dim": 8, "patch_size": 16, "base_ch": 32, "ch_mult": [1, 1, 1, 1, 1],
         "num_res_blocks": 1}
        """;
    String quantizer =
        "{'kind': 'BSQ', 'd': 8, 'decay': 0.9, 'inverse_temperature': 1, 'single_scale': true}";
    try (Weights weights = TinyModel.tokenizerWeights(TinyModel.BITS)) {
      SafetensorsWriter.write(
          folder.resolve("plain.safetensors"),
          weights,
          Map.of("config", architecture, "quantizer", quantizer.replace('\'', '"')));
    }
    Path file = edited(config("plain", ""), "start_from: start", "tokenizer: plain.safetensors");
    ConfigFileException fault =
        assertThrows(ConfigFileException.class, () -> TransformerJob.read(file));
    assertTrue(fault.getMessage().contains("plain.yaml:3: tokenizer: "), fault::getMessage);
    assertTrue(fault.getMessage().contains("found single_scale: true"), fault::getMessage);
  }

  private void assertRefused(String line, String message) throws IOException {
    Path file = config("refused", line);
    ConfigFileException fault =
        assertThrows(ConfigFileException.class, () -> TransformerJob.read(file));
    assertTrue(fault.getMessage().contains(message), fault.getMessage());
    assertTrue(fault.getMessage().contains("refused.yaml:6"), fault.getMessage());
  }
}
