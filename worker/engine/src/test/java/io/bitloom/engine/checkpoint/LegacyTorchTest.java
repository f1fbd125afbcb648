package io.bitloom.engine.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of PyTorch before 1.6: pickles in a row, then the storages. */
class LegacyTorchTest {
  private static final int[] MAGIC = {
    0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19
  };
  private static final long[] TWO = {2};
  private static final long[] ONE = {1};

  @TempDir private Path folder;

  private static PickleBytes storage(PickleBytes pickle, String type, String key, long elements) {
    pickle.op('(').text("storage").global("torch", type).text(key).text("cpu").integer(elements);
    return pickle.op('N', 't', 'Q');
  }

  private static PickleBytes tensor(PickleBytes pickle, String name, String type, String key) {
    pickle.text(name).global("torch._utils", "_rebuild_tensor_v2").op('(');
    storage(pickle, type, key, 2).integer(0).tuple(TWO).tuple(ONE);
    return pickle.op(0x89).orderedDict().op('t', 'R');
  }

  private static byte[] file(boolean littleEndian, PickleBytes content) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new PickleBytes().op(MAGIC).end());
    out.writeBytes(new PickleBytes().op('M', 0xe9, 0x03).end());
    PickleBytes machine = new PickleBytes().op('}').open().text("protocol_version");
    machine.op('M', 0xe9, 0x03).text("little_endian").op(littleEndian ? 0x88 : 0x89);
    out.writeBytes(machine.text("type_sizes").op('}').close().end());
    out.writeBytes(content.end());
    out.writeBytes(new PickleBytes().op(']', '(').text("941").text("942").op('e').end());
    out.writeBytes(buffer(8 + 4).putLong(2).putShort((short) 0x3c00).array()); // half: 1, 0
    out.writeBytes(buffer(8 + 8).putLong(2).putFloat(3).putFloat(4).array());
    return out.toByteArray();
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static PickleBytes stateDict() {
    PickleBytes pickle = new PickleBytes().orderedDict().open();
    tensor(pickle, "module.half", "HalfStorage", "941");
    return tensor(pickle, "module.float", "FloatStorage", "942").close();
  }

  @Test
  void aStateDictIsReadWithItsStorages() throws IOException {
    Path file = Files.write(folder.resolve("vgg.pth"), file(true, stateDict()));
    try (Weights weights = Checkpoints.open(file)) {
      assertEquals(Set.of("half", "float"), weights.names());
      assertArrayEquals(new float[] {1, 0}, Tensors.floats(weights.get("half", 2)));
      assertArrayEquals(new float[] {3, 4}, Tensors.floats(weights.get("float", 2)));
    }
  }

  @Test
  void aSectionIsReadAndWhatLiesBesideItIsPassedOver() throws IOException {
    PickleBytes pickle = new PickleBytes().op('}').open().text("args");
    pickle.global("argparse", "Namespace").op(')', 0x81, '}', 'b').text("model");
    pickle.orderedDict().open();
    tensor(pickle, "a", "HalfStorage", "941");
    tensor(pickle, "b", "FloatStorage", "942").close().close();
    Path file = Files.write(folder.resolve("vgg.pth"), file(true, pickle));
    assertEquals(Set.of("model"), Checkpoints.sections(file));
    try (Weights weights = Checkpoints.read(file, "model").load()) {
      assertArrayEquals(new float[] {3, 4}, Tensors.floats(weights.get("b", 2)));
    }
  }

  @Test
  void aFileCutAnywhereIsRefused() throws IOException {
    byte[] whole = file(true, stateDict());
    Path file = folder.resolve("vgg.pth");
    for (int length = 1; length < whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertRefused(file, "");
    }
    assertRefused(file, "ends within storage 942, it is cut off; fetch it again");
  }

  @Test
  void whatCannotBeReadIsNamed() throws IOException {
    Path file = folder.resolve("vgg.pth");
    assertRefused(Files.write(file, file(false, stateDict())), "little-endian");
    PickleBytes complex = new PickleBytes().orderedDict().open();
    tensor(complex, "a", "ComplexFloatStorage", "941").close();
    assertRefused(Files.write(file, file(true, complex)), "has a storage of unknown type");
    byte[] huge = file(true, stateDict());
    Arrays.fill(huge, huge.length - 16, huge.length - 9, (byte) 0xff);
    assertRefused(Files.write(file, huge), "ends within storage 942");
  }

  private static void assertRefused(Path file, String message) {
    WeightsException e = assertThrows(WeightsException.class, () -> Checkpoints.open(file).close());
    assertTrue(
        e.getMessage().startsWith(file + ": ") && e.getMessage().contains(message), e.getMessage());
  }
}
