package io.bitloom.engine.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShardIndexTest {
  @TempDir Path folder;

  @BeforeEach
  void writeTwoShards() throws IOException {
    for (String name : new String[] {"a", "b"}) {
      try (Weights weights = new Weights("memory");
          Scope scope = Scope.open()) {
        weights.put(name, Tensors.of(new float[] {name.charAt(0)}, 1));
        SafetensorsWriter.write(folder.resolve(name + ".safetensors"), weights, Map.of());
      }
    }
  }

  private Path index(String json) throws IOException {
    return Files.writeString(folder.resolve("model.safetensors.index.json"), json);
  }

  @Test
  void theShardsOfAnIndexFormOneSetOfWeights() throws IOException {
    Path index =
        index(
            "{\"metadata\":{\"total_size\":8},"
                + "\"weight_map\":{\"a\":\"a.safetensors\",\"b\":\"b.safetensors\"}}");
    try (Weights weights = Checkpoints.open(index)) {
      assertEquals(Set.of("a", "b"), weights.names());
      assertArrayEquals(new float[] {'b'}, Tensors.floats(weights.get("b", 1)));
    }
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '\'',
      delimiter = '|',
      textBlock =
          """
          {"weight_map":{"a":"a.safetensors","c":"a.safetensors"}} | tensor c: is not in a.safetensors
          {"weight_map":{"a":"../a.safetensors"}}                  | tensor a: its file must be a plain name
          {"weight_map":{"a":"/etc/passwd"}}                       | tensor a: its file must be a plain name
          {"weight_map":{"a":"model.safetensors.index.json"}}      | tensor a: its file must be a plain name
          {"weight_map":{"a":3}}                                   | tensor a: its file must be a plain name
          {"weight_map":{"a":"absent.safetensors"}}                | is in absent.safetensors, which does not exist
          {"weight_map":{"a":"a.safetensors","a":"b.safetensors"}} | "a" occurs twice
          {}                                                       | weight_map is missing
          """)
  void anIndexThatDoesNotFitItsShardsIsRefused(String json, String message) throws IOException {
    Path index = index(json);
    WeightsException e =
        assertThrows(WeightsException.class, () -> Checkpoints.open(index).close());
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void aTensorThatTheIndexDoesNotListIsRefused() throws IOException {
    try (Weights weights = new Weights("memory");
        Scope scope = Scope.open()) {
      weights.put("a", Tensors.of(new float[] {1}, 1));
      weights.put("extra", Tensors.of(new float[] {1}, 1));
      SafetensorsWriter.write(folder.resolve("a.safetensors"), weights, Map.of());
    }
    Path index = index("{\"weight_map\":{\"a\":\"a.safetensors\"}}");
    WeightsException e =
        assertThrows(WeightsException.class, () -> Checkpoints.open(index).close());
    assertTrue(e.getMessage().contains("tensor extra: is in a.safetensors"), e.getMessage());
  }
}
