package io.bitloom.engine.checkpoint;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TorchCheckpointTest {
  private static final long[] TWO_BY_THREE = {2, 3};

  @TempDir Path folder;

  private static byte[] floats(float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return bytes.array();
  }

  private static PickleBytes weight(PickleBytes pickle, String name, long... strides) {
    return pickle.text(name).tensor("0", 6, 0, TWO_BY_THREE, strides);
  }

  private static ZipBytes archive(byte[] pickle) {
    return new ZipBytes()
        .add("model/data.pkl", pickle)
        .add("model/byteorder", "little".getBytes(US_ASCII))
        .add("model/data/0", floats(1, 2, 3, 4, 5, 6))
        .add("model/version", "3\n".getBytes(US_ASCII));
  }

  private static byte[] stateDict() {
    PickleBytes pickle = new PickleBytes().orderedDict().open();
    weight(pickle, "w", 3, 1);
    weight(pickle, "transposed", 1, 2);
    pickle.text("last").tensor("0", 6, 5, new long[0], new long[0]);
    pickle.close();
    // What state_dict() leaves behind: {"_metadata": OrderedDict()} as the dictionary's attributes.
    return pickle.op('}').text("_metadata").orderedDict().op('s', 'b').end();
  }

  @Test
  void aBareStateDictIsReadWithStridesOffsetsAndSharedStorages() throws IOException {
    Path file = archive(stateDict()).write(folder.resolve("model.pth"));
    assertEquals(Set.of(Checkpoint.BARE), Checkpoints.sections(file));
    try (Weights weights = Checkpoints.open(file)) {
      assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, Tensors.floats(weights.get("w", 2, 3)));
      assertArrayEquals(
          new float[] {1, 3, 5, 2, 4, 6}, Tensors.floats(weights.get("transposed", 2, 3)));
      assertArrayEquals(new float[] {6}, Tensors.floats(weights.get("last", new long[0])));
    }
  }

  @Test
  void zip64ArchivesAreRead() throws IOException {
    Path file = archive(stateDict()).zip64().write(folder.resolve("model.pth"));
    try (Weights weights = Checkpoints.open(file)) {
      assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, Tensors.floats(weights.get("w", 2, 3)));
    }
  }

  @Test
  void theTokenizerLiesUnderVae() throws IOException {
    PickleBytes pickle = new PickleBytes().op('}').text("vae").orderedDict().open();
    weight(pickle, "w", 3, 1).close().op('s');
    Path file = archive(pickle.end()).write(folder.resolve("vae.pth"));
    assertEquals(Set.of("vae"), Checkpoints.sections(file));
    try (Weights weights = Checkpoints.open(file)) {
      assertEquals(Set.of("w"), weights.names());
    }
  }

  @Test
  void aTrainingCheckpointOffersItsStateDictsAndTheAverageComesFirst() throws IOException {
    PickleBytes pickle = new PickleBytes().op('}').open();
    pickle.text("epoch").integer(-7).text("lr").op('G', 0x3f, 0xf0, 0, 0, 0, 0, 0, 0);
    pickle.text("args").op('}').text("dtype").global("torch", "bfloat16").op('s');
    pickle.text("trainer").op('}').open();
    pickle.text("config").op(']', '(', 'N', 0x88, 'K', 1, 'e');
    pickle.text("gpt_ema_fsdp").orderedDict().open();
    weight(pickle, "averaged", 3, 1).close();
    pickle.text("gpt_fsdp").orderedDict().open();
    weight(pickle, "trained", 3, 1).close();
    pickle.close().close();
    Path file = archive(pickle.end()).write(folder.resolve("ar-ckpt.pth"));
    assertEquals(
        List.of("trainer.gpt_ema_fsdp", "trainer.gpt_fsdp"),
        List.copyOf(Checkpoints.sections(file)));
    try (Weights averaged = Checkpoints.open(file);
        Weights trained = Checkpoints.read(file, "trainer.gpt_fsdp").load()) {
      assertEquals(Set.of("trained"), trained.names());
      assertEquals(Set.of("averaged"), averaged.names());
    }
  }

  @Test
  void aParameterIsItsTensor() throws IOException {
    PickleBytes pickle = new PickleBytes().op('}').text("w");
    pickle.global("torch._utils", "_rebuild_parameter");
    pickle.tensor("0", 6, 0, TWO_BY_THREE, new long[] {3, 1});
    pickle.op(0x88).orderedDict().op(0x87, 'R', 's');
    Path file = archive(pickle.end()).write(folder.resolve("model.pth"));
    try (Weights weights = Checkpoints.open(file)) {
      assertEquals(6, weights.get("w", 2, 3).numel());
    }
  }

  static Stream<Arguments> hostilePickles() {
    return Stream.of(
        hostile(
            "has a text longer than itself",
            p -> p.op('X').int32(Integer.MAX_VALUE),
            "has a value of 2147483647 bytes"),
        hostile(
            "has a text of negative length",
            p -> p.op(0x8d).int32(-1).int32(-1),
            "has a value of -1 bytes"),
        hostile("has an endless integer", p -> p.op(0x8a, 255), "has a value of 255 bytes"),
        hostile(
            "takes from an empty stack",
            p -> p.op('0', '0', '0'),
            "takes a value from an empty stack"),
        hostile("recalls what was not stored", p -> p.op('h', 9), "recalls value 9"),
        hostile("closes a mark that is not open", p -> p.op('0', 'u', 'u'), "closes a mark"),
        hostile("has no end", p -> p.op('X', 1), "is truncated"),
        hostile("has an unknown protocol", p -> p.op(0x80, 77), "protocol 77"),
        hostile("uses an unknown opcode", p -> p.op(0xf0), "opcode 0xf0"),
        hostile("fills a text", p -> p.text("x").op('N', 'a'), "treats a String as a list"),
        hostile(
            "fills a tensor",
            p -> p.tensor("0", 6, 0, TWO_BY_THREE, TWO_BY_THREE).text("k").op('N', 's'),
            "treats a tensor as a dictionary"),
        hostile(
            "has tuples without end",
            p -> {
              p.op(')');
              for (int i = 0; i < (1 << 22); i++) {
                p.op('2');
              }
              return p;
            },
            "has more than 4194304 values"),
        hostile(
            "remembers without end",
            p -> {
              p.op(')');
              for (int i = 0; i < (1 << 22); i++) {
                p.op(0x94);
              }
              return p;
            },
            "has more than 4194304 values"),
        hostile(
            "copies a list without end",
            p -> {
              p.op(']', 'q', 1, '(');
              for (int i = 0; i < 3000; i++) {
                p.op('N');
              }
              p.op('e', '0');
              for (int i = 0; i < 3000; i++) {
                p.global("collections", "OrderedDict").op('h', 1, 0x85, 'R', '0');
              }
              return p;
            },
            "has more than 4194304 values"));
  }

  private interface Attack {
    PickleBytes on(PickleBytes pickle);
  }

  private static Arguments hostile(String what, Attack attack, String message) {
    return Arguments.of(what, attack, message);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("hostilePickles")
  void aHostilePickleIsRefusedWithFileTensorAndReason(String what, Attack attack, String message)
      throws IOException {
    PickleBytes pickle = new PickleBytes().orderedDict().open().text("bad");
    Path file = archive(attack.on(pickle).end()).write(folder.resolve("model.pth"));
    assertRefused(file, message);
  }

  @Test
  void theTensorUnderConstructionIsNamed() throws IOException {
    PickleBytes pickle = new PickleBytes().orderedDict().open().text("blocks.3.weight");
    pickle.op('h', 77);
    assertRefused(
        archive(pickle.end()).write(folder.resolve("model.pth")),
        "tensor blocks.3.weight: pickle, byte");
  }

  static Stream<Arguments> hostileTensors() {
    long[] rowMajor = {3, 1};
    return Stream.of(
        Arguments.of("0", 6, 1, TWO_BY_THREE, rowMajor, "reaches outside its storage of 6"),
        Arguments.of("0", 6, -1, TWO_BY_THREE, rowMajor, "reaches outside its storage"),
        Arguments.of("0", 6, Long.MAX_VALUE, TWO_BY_THREE, rowMajor, "reaches outside"),
        Arguments.of("0", 6, 0, TWO_BY_THREE, new long[] {4, 1}, "reaches outside"),
        Arguments.of("0", 6, 0, TWO_BY_THREE, new long[] {Long.MAX_VALUE, 1}, "reaches outside"),
        Arguments.of("0", 6, 5, TWO_BY_THREE, new long[] {-3, -1}, "reaches outside"),
        Arguments.of("0", 6, 0, new long[] {1 << 30}, new long[] {0}, "reaches outside"),
        Arguments.of("0", 6, 0, TWO_BY_THREE, new long[] {1}, "another number of strides"),
        Arguments.of("0", 6, 0, new long[] {-2, -3}, rowMajor, "has a negative size"),
        Arguments.of("0", 6, 0, new long[] {1L << 40, 1L << 40}, rowMajor, "is too large"),
        Arguments.of("0", 7, 0, TWO_BY_THREE, rowMajor, "should hold 7 elements of F32 but has 24"),
        Arguments.of("9", 6, 0, TWO_BY_THREE, rowMajor, "its storage 9 is missing"));
  }

  @ParameterizedTest
  @MethodSource("hostileTensors")
  void aTensorOutsideItsStorageIsRefused(
      String key, long elements, long offset, long[] shape, long[] strides, String message)
      throws IOException {
    PickleBytes pickle = new PickleBytes().orderedDict().open().text("bad");
    pickle.tensor(key, elements, offset, shape, strides).close();
    assertRefused(archive(pickle.end()).write(folder.resolve("model.pth")), "tensor bad: ");
    assertRefused(folder.resolve("model.pth"), message);
  }

  @Test
  void aSmallFileMustNotClaimToBeAHugeOne() throws IOException {
    PickleBytes pickle = new PickleBytes().orderedDict().open();
    pickle.text("t0").tensor("0", 6, 0, TWO_BY_THREE, new long[] {3, 1}).op('q', 1);
    for (int i = 1; i < 10_000; i++) {
      pickle.text("t" + i).op('h', 1);
    }
    assertRefused(archive(pickle.close().end()).write(folder.resolve("m.pth")), "share");
  }

  @Test
  void aMillionNamesOfNothingAreRefused() throws IOException {
    PickleBytes pickle = new PickleBytes().orderedDict().open();
    pickle.text("t0").tensor("0", 6, 0, new long[] {0}, new long[] {1}).op('q', 1);
    for (int i = 1; i < 300_000; i++) {
      pickle.text("t" + i).op('h', 1);
    }
    assertRefused(
        archive(pickle.close().end()).write(folder.resolve("m.pth")), "has 300000 tensors");
  }

  @Test
  void valuesThatNestOrHoldThemselvesCostNothing() throws IOException {
    PickleBytes pickle = new PickleBytes().op('}').text("vae").orderedDict().op('q', 0).open();
    pickle.text("self").op('h', 0).close().op('s');
    assertRefused(
        archive(pickle.end()).write(folder.resolve("self.pth")),
        "holds a dictionary of vae without a state dict");

    PickleBytes deep = new PickleBytes();
    for (int i = 0; i < 500_000; i++) {
      deep.op(']');
    }
    for (int i = 1; i < 500_000; i++) {
      deep.op('a');
    }
    assertRefused(
        archive(deep.end()).write(folder.resolve("deep.pth")), "holds a list without a state dict");
  }

  static Stream<Arguments> hostileArchives() {
    return Stream.of(
        Arguments.of(
            "compressed",
            archive(stateDict()).change(2, e -> e.method = 8),
            "entry model/data/0 is compressed"),
        Arguments.of(
            "zip bomb",
            archive(stateDict()).change(0, e -> e.method = 8),
            "entry model/data.pkl is compressed"),
        Arguments.of(
            "encrypted",
            archive(stateDict()).change(2, e -> e.flags = 1),
            "entry model/data/0 is encrypted"),
        Arguments.of(
            "traversal",
            archive(stateDict()).add("../../etc/x", new byte[1]),
            "entry name \"../../etc/x\" is unsafe"),
        Arguments.of(
            "absolute",
            archive(stateDict()).add("/etc/x", new byte[1]),
            "entry name \"/etc/x\" is unsafe"),
        Arguments.of("backslash", archive(stateDict()).add("a\\..\\x", new byte[1]), "is unsafe"),
        Arguments.of("drive", archive(stateDict()).add("C:x", new byte[1]), "is unsafe"),
        Arguments.of("control", archive(stateDict()).add("a\0b", new byte[1]), "is unsafe"),
        Arguments.of(
            "twice",
            archive(stateDict()).add("model/data/0", new byte[1]),
            "entry model/data/0 occurs twice"),
        Arguments.of(
            "other local name",
            archive(stateDict()).change(2, e -> e.localName = "model/data/1"),
            "has a local header that does not belong to it"),
        Arguments.of(
            "past the end",
            archive(stateDict()).change(3, e -> e.bytes = 1 << 20),
            "ends outside the file"),
        Arguments.of("overlap", archive(stateDict()).change(2, e -> e.bytes = 30), "overlap"),
        Arguments.of(
            "header outside",
            archive(stateDict()).change(2, e -> e.headerOffset = 1 << 30),
            "begins outside the file"),
        Arguments.of(
            "zip64 length",
            archive(stateDict()).zip64().change(2, e -> e.bytes = Long.MAX_VALUE),
            "ends outside the file"),
        Arguments.of(
            "zip64 offset",
            archive(stateDict()).zip64().change(2, e -> e.headerOffset = Long.MAX_VALUE),
            "outside the file"),
        Arguments.of(
            "another checksum",
            archive(stateDict()).change(0, e -> e.crc = 7),
            "entry model/data.pkl is damaged, its CRC-32 is wrong; fetch the file again"),
        Arguments.of(
            "another checksum of the byte order",
            archive(stateDict()).change(1, e -> e.crc = 7),
            "entry model/byteorder is damaged"),
        Arguments.of("no pickle", new ZipBytes().add("a/b", new byte[1]), "no PyTorch checkpoint"),
        Arguments.of(
            "two roots",
            archive(stateDict()).add("b/data.pkl", new byte[1]),
            "no PyTorch checkpoint"),
        Arguments.of(
            "program",
            archive(stateDict()).add("model/constants.pkl", new byte[1]),
            "is a TorchScript program"),
        Arguments.of(
            "big endian",
            archive(stateDict()).change(1, e -> e.content = "big\0\0\0".getBytes(US_ASCII)),
            "byteorder is not little"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("hostileArchives")
  void aHostileArchiveIsRefused(String what, ZipBytes archive, String message) throws IOException {
    assertRefused(archive.write(folder.resolve("model.pth")), message);
  }

  @Test
  void checksumsThatTheWriterLeftOutAreNotCompared() throws IOException {
    Path file =
        archive(stateDict())
            .change(0, e -> e.crc = StoredZip.NO_CRC)
            .change(2, e -> e.crc = StoredZip.NO_CRC)
            .write(folder.resolve("model.pth"));
    Checkpoints.read(file).verifyData();
    Checkpoints.open(file).close();
  }

  @Test
  void theChecksumsOfTensorsAreComparedOnRequest() throws IOException {
    Path file = archive(stateDict()).change(2, e -> e.crc = 7).write(folder.resolve("model.pth"));
    Checkpoints.open(file).close();
    WeightsException e =
        assertThrows(WeightsException.class, () -> Checkpoints.read(file).verifyData());
    assertEquals(
        file + ": entry model/data/0 is damaged, its CRC-32 is wrong; fetch the file again",
        e.getMessage());
    archive(stateDict()).write(file);
    Checkpoints.read(file).verifyData();
  }

  @Test
  void aFileCutAnywhereIsRefused() throws IOException {
    byte[] whole = archive(stateDict()).bytes();
    Path file = folder.resolve("model.pth");
    for (int length = 4; length < whole.length; length += 7) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertRefused(file, "");
    }
  }

  @Test
  void flippedBytesNeverDoWorseThanARefusal() throws IOException {
    byte[] whole = archive(stateDict()).bytes();
    Path file = folder.resolve("model.pth");
    for (int at = 4; at < whole.length; at++) {
      byte[] broken = whole.clone();
      broken[at] ^= (byte) 0xff;
      Files.write(file, broken);
      try (Weights weights = Checkpoints.open(file)) {
        weights.names().forEach(name -> Tensors.floats(weights.get(name)));
      } catch (WeightsException e) {
        assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
      }
    }
  }

  private static void assertRefused(Path file, String message) {
    WeightsException e = assertThrows(WeightsException.class, () -> Checkpoints.open(file).close());
    assertTrue(
        e.getMessage().startsWith(file + ": ") && e.getMessage().contains(message), e.getMessage());
  }
}
