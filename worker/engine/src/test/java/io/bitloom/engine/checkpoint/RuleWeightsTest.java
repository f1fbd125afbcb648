package io.bitloom.engine.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RuleWeightsTest {
  /** The worked example of the rule's documentation. */
  private static final String RULE =
      """
      {"config": {"depth": 1}, "seed": 125001, "parameters": 70002,
       "tensors": {"head.bias": {"shape": [2], "offset": 0.0, "scale": 0.05},
                   "wide": {"shape": [700, 100], "offset": 1.0, "scale": 0.5}},
       "constant": {"mask": {"shape": [2], "dtype": "I64", "values": [2, 1]},
                    "zero": {"shape": [1, 3], "dtype": "F32", "value": 0.0}},
       "first_values": {"head.bias": [-0.0355152562]}, "last_values": {},
       "hash_examples": {"head.bias": "0x1d85cc4bebb3a38e"}}
      """;

  @TempDir Path folder;

  @Test
  void theWorkedExampleHolds() throws IOException {
    Path file = write(RULE);
    assertEquals(1, Checkpoints.config(file).orElseThrow().get("depth").getAsInt());
    try (Weights weights = Checkpoints.open(file)) {
      assertEquals(-0.0355152562f, Tensors.floats(weights.get("head.bias", 2))[0]);
      assertArrayEquals(new long[] {2, 1}, Tensors.longs(weights.get("mask", 2)));
      assertArrayEquals(new float[3], Tensors.floats(weights.get("zero", 1, 3)));
      for (float value : Tensors.floats(weights.get("wide", 700, 100))) {
        assertTrue(value >= 0.5f && value < 1.5f);
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      quoteCharacter = '\'',
      delimiter = '|',
      textBlock =
          """
          parameters | 70002         | 70001          | tensors have 70002 parameters, the file says 70001
          example    | -0.0355152562 | -0.0355152762  | tensor head.bias: first_values says
          hash       | 0x1d85        | 0x1d86         | tensor head.bias: hash_examples says 0x1d86
          size       | [2], "offset" | [999999999999999], "offset" | the file says 70002
          negative   | [2], "offset" | [-2], "offset" | tensor head.bias: shape [-2] has a negative size
          constant   | [2, 1]        | [2]            | tensor mask: needs 2 values
          dtype      | "I64"         | "U8"           | tensor mask: dtype "U8" is not supported
          seed       | 125001        | "x"            | seed: expected a 64-bit integer, found "x"
          scale      | "scale": 0.5  | "size": 0.5    | tensors.wide.scale is missing
          """)
  void aRuleThatContradictsItselfIsRefused(String what, String from, String to, String message)
      throws IOException {
    Path file = write(RULE.replace(from, to));
    WeightsException e = assertThrows(WeightsException.class, () -> Checkpoints.open(file).close());
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void aRuleLargerThanTheMemoryIsRefusedBeforeAnythingIsComputed() throws IOException {
    Path file =
        write(
            RULE.replace("[700, 100]", "[1000000, 999999999]").replace("70002", "999999999000002"));
    assertEquals(4, Checkpoints.read(file).entries().size());
    WeightsException e = assertThrows(WeightsException.class, () -> Checkpoints.open(file).close());
    assertTrue(e.getMessage().contains("tensor wide: does not fit the memory"), e.getMessage());
  }

  private Path write(String rule) throws IOException {
    return Files.writeString(folder.resolve("model.rule.json"), rule);
  }
}
