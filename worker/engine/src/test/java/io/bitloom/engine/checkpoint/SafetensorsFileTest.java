package io.bitloom.engine.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SafetensorsFileTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(DType.class)
  void everyElementTypeComesBackFromTheWriter(DType dtype) throws IOException {
    Path file = folder.resolve("model.safetensors");
    try (Weights weights = new Weights("memory");
        Scope scope = Scope.open()) {
      weights.put("byte", Tensors.of(new byte[] {9}, 1));
      weights.put("x", Tensors.to(Tensors.of(new float[] {1, 0, 1, 1, 0, 1}, 2, 3), dtype));
      weights.put("nothing", Tensors.empty(dtype, TorchDevice.CPU, 0, 4));
      SafetensorsWriter.write(file, weights, Map.of("producer", "test \"quoted\""));
    }
    SafetensorsFile read = SafetensorsFile.read(file);
    assertEquals(Map.of("producer", "test \"quoted\""), read.metadata());
    try (Weights weights = read.load()) {
      assertEquals(dtype, Tensors.dtype(weights.get("x")));
      assertArrayEquals(new float[] {1, 0, 1, 1, 0, 1}, Tensors.floats(weights.get("x", 2, 3)));
      assertEquals(0, weights.get("nothing", 0, 4).numel());
      assertArrayEquals(new byte[] {9}, Tensors.bytes(weights.get("byte", 1)));
    }
  }

  @Test
  void tensorsThatAreNotAlignedAreReadAllTheSame() throws IOException {
    Path file =
        SafetensorsBytes.write(
            folder.resolve("odd.safetensors"),
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                + "\"b\":{\"dtype\":\"I16\",\"shape\":[],\"data_offsets\":[1,3]}}",
            (byte) 5,
            (byte) 1,
            (byte) 2);
    try (Weights weights = Checkpoints.open(file)) {
      assertArrayEquals(new long[] {0x201}, Tensors.longs(weights.get("b", new long[0])));
    }
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      quoteCharacter = '\'',
      delimiter = '|',
      textBlock =
          """
          unknown dtype          | {"w":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}         | tensor w: dtype "F8_E4M3" is not supported
          dtype is no text       | {"w":{"dtype":7,"shape":[4],"data_offsets":[0,4]}}                 | tensor w: dtype: expected STRING
          missing dtype          | {"w":{"shape":[4],"data_offsets":[0,4]}}                           | tensor w: needs dtype, shape and data_offsets
          unknown member         | {"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":1}}        | tensor w: member "x" is unknown
          member twice           | {"w":{"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]}} | tensor w: member "dtype" is unknown or occurs twice
          name twice             | {"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"w":{}}       | tensor w: occurs twice
          wrong size             | {"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}             | tensor w: 4 bytes do not hold 2 elements of F32
          not whole elements     | {"w":{"dtype":"F64","shape":[0],"data_offsets":[0,4]}}             | tensor w: 4 bytes do not hold 0 elements of F64
          past the end           | {"w":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}}              | tensor w: data_offsets [0, 9] are outside the 4 bytes of data
          backwards              | {"w":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}              | tensor w: data_offsets [4, 0] are outside
          one offset             | {"w":{"dtype":"U8","shape":[4],"data_offsets":[4]}}                | tensor w: data_offsets [4] are outside
          negative offset        | {"w":{"dtype":"U8","shape":[4],"data_offsets":[-4,0]}}             | tensor w: data_offsets: -4 is not a whole number
          fractional size        | {"w":{"dtype":"U8","shape":[4.0],"data_offsets":[0,4]}}            | tensor w: shape: 4.0 is not a whole number
          size as text           | {"w":{"dtype":"U8","shape":["4"],"data_offsets":[0,4]}}            | tensor w: shape: expected NUMBER, found STRING
          huge size              | {"w":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,4]}} | tensor w: shape: 99999999999999999999 is not a whole number
          product overflows      | {"w":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,4]}} | tensor w: shape [4294967296, 4294967296] is too large
          product wraps to fit   | {"w":{"dtype":"U8","shape":[4611686018427387905,4],"data_offsets":[0,4]}} | tensor w: shape
          overlap                | {"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}} | tensor b: overlaps the tensor before it
          gap                    | {"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}} | tensor b: 2 bytes before it belong to no tensor
          hidden bytes           | {"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}              | 3 bytes at the end belong to no tensor
          tensor is an array     | {"w":[]}                                                           | tensor w: expected BEGIN_OBJECT
          header is an array     | []                                                                 | header: expected BEGIN_OBJECT
          metadata holds objects | {"__metadata__":{"a":{}}}                                          | __metadata__ entry a: expected STRING
          metadata key twice     | {"__metadata__":{"a":"1","a":"2"}}                                 | __metadata__ entry a occurs twice
          text after the header  | {} {}                                                              | malformed JSON
          comments               | /* */ {}                                                           | malformed JSON
          single quotes          | {"w":'x'}                                                          | malformed JSON
          not closed             | {"w":{"dtype":"U8"                                                 | malformed JSON
          empty                  | ' '                                                                | malformed JSON
          """)
  void aMalformedHeaderIsRefusedWithFileTensorAndReason(String fault, String header, String message)
      throws IOException {
    Path file = SafetensorsBytes.write(folder.resolve("w.safetensors"), header, new byte[4]);
    assertRefused(file, message);
  }

  @Test
  void deepNestingIsRefused() throws IOException {
    String deep = "{\"w\":{\"shape\":" + "[".repeat(1_000_000);
    assertRefused(SafetensorsBytes.write(folder.resolve("w"), deep), "tensor w: shape: expected");
  }

  @Test
  void aHeaderThatIsNotUtf8IsRefused() throws IOException {
    Path file = folder.resolve("w.safetensors");
    Files.write(file, new byte[] {2, 0, 0, 0, 0, 0, 0, 0, '{', (byte) 0xff});
    assertRefused(file, "is not UTF-8");
  }

  @Test
  void aMillionTensorsAreRefusedBeforeAllAreRead() throws IOException {
    StringBuilder header = new StringBuilder("{");
    for (int i = 0; i < 1_000_000; i++) {
      header.append(i == 0 ? "" : ",").append('"').append(i);
      header.append("\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}");
    }
    assertRefused(
        SafetensorsBytes.write(folder.resolve("w.safetensors"), header + "}"),
        "has more than 262144 tensors");
  }

  @Test
  void aHeaderLengthThatTheFileCannotHoldIsRefused() throws IOException {
    Path file = folder.resolve("w.safetensors");
    assertRefused(SafetensorsBytes.write(file, 3, "{}"), "is truncated: header of 3 bytes");
    assertRefused(SafetensorsBytes.write(file, Long.MAX_VALUE, "{}"), "beyond the limit");
    assertRefused(SafetensorsBytes.write(file, -1, "{}"), "18446744073709551615");
    assertRefused(Files.write(file, new byte[7]), "too few");
    assertRefused(Files.write(file, new byte[0]), "this file is empty");
  }

  @Test
  void aFileThatIsNotThereIsNamed() {
    assertRefused(folder.resolve("absent.safetensors"), "does not exist");
  }

  private static void assertRefused(Path file, String message) {
    WeightsException e = assertThrows(WeightsException.class, () -> Checkpoints.open(file).close());
    assertTrue(
        e.getMessage().startsWith(file + ": ") && e.getMessage().contains(message), e.getMessage());
  }
}
