package io.bitloom.engine.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.bitloom.engine.checkpoint.SafetensorsWriter;
import io.bitloom.engine.checkpoint.TorchFile;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class T5TextEncoderTest {
  private static final String FOX = "a red fox";

  @TempDir private Path folder;

  @BeforeEach
  void writeFolder() throws IOException {
    Files.writeString(folder.resolve("config.json"), TinyT5.CONFIG);
    TinyT5.tokenizer(folder, "spiece.model");
  }

  /** The encoder's weights and some of a decoder, which would not fit if they were read. */
  private static Weights whole() {
    Weights weights = TinyT5.weights();
    TinyT5.put(weights, "decoder.block.0.layer.0.SelfAttention.q.weight", 3, 5);
    TinyT5.put(weights, "lm_head.weight", 7);
    return weights;
  }

  private T5TextEncoder load() {
    return T5TextEncoder.load(T5Files.in(folder), TorchDevice.CPU, DType.F32);
  }

  private float[] fox() {
    try (Scope scope = Scope.open();
        T5TextEncoder encoder = load()) {
      return Tensors.floats(encoder.encode(List.of(FOX), 512).rows());
    }
  }

  @Test
  void wholeAndShardedSafetensorsAndTorchFilesGiveTheSameFeatures() throws IOException {
    float[] expected;
    try (Weights weights = whole()) {
      SafetensorsWriter.write(folder.resolve("model.safetensors"), weights, Map.of());
      expected = fox();
      assertEquals(4 * 128, expected.length);
      Files.delete(folder.resolve("model.safetensors"));

      TorchFile.bare(folder.resolve("pytorch_model.bin"), weights);
      assertArrayEquals(expected, fox());
      Files.delete(folder.resolve("pytorch_model.bin"));
    }
    writeShards(".safetensors", "model");
    assertArrayEquals(expected, fox());
    Files.delete(folder.resolve("model.safetensors.index.json"));

    writeShards(".bin", "pytorch_model");
    assertArrayEquals(expected, fox());
  }

  /** Every second tensor goes into the second shard. */
  private void writeShards(String extension, String stem) throws IOException {
    JsonObject map = new JsonObject();
    try (Weights all = whole()) {
      for (int shard = 0; shard < 2; shard++) {
        String file = stem + "-0000" + (shard + 1) + "-of-00002" + extension;
        try (Weights own = new Weights(file)) {
          int i = 0;
          for (String name : List.copyOf(all.names())) {
            if (shard == 1 || i++ % 2 == 0) {
              own.put(name, all.take(name, all.get(name).shape()));
              map.addProperty(name, file);
            }
          }
          if (extension.equals(".bin")) {
            TorchFile.bare(folder.resolve(file), own);
          } else {
            SafetensorsWriter.write(folder.resolve(file), own, Map.of());
          }
        }
      }
      assertEquals(Set.of(), all.names());
    }
    JsonObject index = new JsonObject();
    index.add("weight_map", map);
    Files.writeString(folder.resolve(stem + extension + ".index.json"), index.toString());
  }

  @Test
  void halfPrecisionFilesAreRead() throws IOException {
    float[] expected;
    try (Weights weights = TinyT5.weights()) {
      SafetensorsWriter.write(folder.resolve("model.safetensors"), weights, Map.of());
      expected = fox();
      for (DType dtype : List.of(DType.BF16, DType.F16)) {
        try (Weights half = weights.to(TorchDevice.CPU, dtype)) {
          SafetensorsWriter.write(folder.resolve("model.safetensors"), half, Map.of());
        }
        assertArrayEquals(expected, fox(), 0.1f, dtype.toString());
      }
    }
  }

  @Test
  void aLongTextIsCutAndKeepsItsEndToken() throws IOException {
    try (Weights weights = TinyT5.weights()) {
      SafetensorsWriter.write(folder.resolve("model.safetensors"), weights, Map.of());
    }
    try (Scope scope = Scope.open();
        T5TextEncoder encoder = load()) {
      assertArrayEquals(new long[] {4, 34, 97, 1}, encoder.ids(FOX, 512));
      assertArrayEquals(new long[] {4, 34, 97, 1}, encoder.ids(FOX, 4));
      assertArrayEquals(new long[] {4, 34, 1}, encoder.ids(FOX, 3));
      assertArrayEquals(new long[] {1}, encoder.ids(FOX, 1));
      assertArrayEquals(new long[] {1}, encoder.ids("", 512));
      long[] novel = encoder.ids(FOX.repeat(100_000), 512);
      assertEquals(512, novel.length);
      assertEquals(1, novel[511]);
      PackedRows features = encoder.encode(List.of(FOX, "", FOX.repeat(1000)), 512);
      assertEquals(List.of(4, 1, 512), features.lengths());
      assertEquals(encoder.channels(), features.channels());
    }
  }

  @Test
  void theFirstFilesOfEveryKindAreTakenAndWhatIsMissingIsNamed() throws IOException {
    assertMissing(
        "expected model.safetensors or model.safetensors.index.json or pytorch_model.bin");
    Files.createFile(folder.resolve("pytorch_model.bin"));
    Files.createFile(folder.resolve("model.safetensors.index.json"));
    T5Files files = T5Files.in(folder);
    assertEquals(folder.resolve("model.safetensors.index.json"), files.weights());
    assertEquals(folder.resolve("spiece.model"), files.tokenizer());
    TinyT5.tokenizer(folder, "tokenizer.json");
    assertEquals(folder.resolve("tokenizer.json"), T5Files.in(folder).tokenizer());
    Files.delete(folder.resolve("config.json"));
    assertMissing("expected config.json");
  }

  @Test
  void aTokenizerOfAnotherModelIsRefused() throws IOException {
    String small = TinyT5.CONFIG.replace("\"vocab_size\": 500", "\"vocab_size\": 300");
    Files.writeString(folder.resolve("config.json"), small);
    Files.createFile(folder.resolve("model.safetensors"));
    String message = assertThrows(WeightsException.class, this::load).getMessage();
    assertTrue(message.contains("spiece.model: has token ids up to 399"), message);
  }

  private void assertMissing(String expected) {
    String message = assertThrows(WeightsException.class, () -> T5Files.in(folder)).getMessage();
    assertTrue(message.contains(expected) && message.contains(folder.toString()), message);
  }
}
