package io.bitloom.engine.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What training leaves beside the weights in a PyTorch file does not keep them from being read. */
class PassedOverTest {
  private static final long[] TWO_BY_THREE = {2, 3};
  private static final long[] ROW_MAJOR = {3, 1};

  @TempDir private Path folder;

  private Path write(PickleBytes pickle) throws IOException {
    ByteBuffer data = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 1; i <= 6; i++) {
      data.putFloat(i);
    }
    return new ZipBytes()
        .add("archive/data.pkl", pickle.end())
        .add("archive/data/0", data.array())
        .write(folder.resolve("model.pth"));
  }

  private static PickleBytes weight(PickleBytes pickle, String name) {
    return pickle.text(name).tensor("0", 6, 0, TWO_BY_THREE, ROW_MAJOR);
  }

  /** A pickle with {@code $} for what the test puts there. */
  static Stream<Arguments> values() {
    return Stream.of(
        value("None", p -> p.op('N')),
        value("a call of a shell", p -> p.global("os", "system").text("touch x").op(0x85, 'R')),
        value("a call of eval", p -> p.global("builtins", "eval").text("1").op(0x85, 'R')),
        value("a name over the stack", p -> p.text("posix").text("system").op(0x93)),
        value("a module's attribute", p -> p.global("torch", "load")),
        value("a nested pickle", p -> p.global("torch.storage", "_load_from_bytes").op(')', 'R')),
        value(
            "argparse.Namespace",
            p ->
                p.global("argparse", "Namespace")
                    .op(')', 0x81, '}')
                    .text("lr")
                    .op('K', 1, 's', 'b')),
        value(
            "an object of copyreg",
            p ->
                p.global("copyreg", "_reconstructor")
                    .op('(')
                    .global("easydict", "EasyDict")
                    .global("builtins", "dict")
                    .op('}', 't', 'R')
                    .op('(')
                    .text("k")
                    .op('K', 1, 'u', '}', 'b')),
        value(
            "a numpy scalar",
            p ->
                p.global("numpy.core.multiarray", "scalar")
                    .global("numpy", "dtype")
                    .text("f8")
                    .op(0x89, 0x88, 0x87, 'R', '(', 'K', 3)
                    .text("<")
                    .op('N', 'N', 'N', 't', 'b', 'C', 4, 1, 2, 3, 4, 0x86, 'R')),
        value(
            "a numpy random state",
            p ->
                p.text("MT19937")
                    .global("numpy.core.multiarray", "_reconstruct")
                    .op(')', 'R', '(', 'K', 1, 'B')
                    .int32(5)
                    .op(9, 9, 9, 9, 9, 't', 'b', 'K', 7, 0x87)),
        value("a random state of Python", p -> p.op('K', 3, '(', 'M', 1, 2, 't', 'N', 0x87)),
        value("a random state of torch", p -> p.global("torch", "ByteTensor").op(')', 'R')),
        value("an integer of 128 bits", p -> p.op(0x8a, 17).op(new int[17])),
        value("a long integer of four bytes' length", p -> p.op(0x8b).int32(20).op(new int[20])),
        value("bytes with a long length", p -> p.op(0x8e).int32(3).int32(0).op(1, 2, 3)),
        value("a bytearray", p -> p.op(0x96).int32(1).int32(0).op(1)),
        value("a frozen set", p -> p.op('(', 'K', 1, 0x91)),
        value("a dictionary with a tuple for a key", p -> p.op('}', ')', 'N', 's')),
        value("an instance of old", p -> p.op('(', 'i').line("m").line("C").op('}', 'b')),
        value("an object of old", p -> p.op('(').global("m", "C").op('o')),
        value("an extension code", p -> p.op(0x82, 1)),
        value(
            "an object with arguments by name",
            p -> p.global("m", "C").op(')', '}', 0x92, '}', 'b')),
        value("a call of a value", p -> p.text("x").op(')', 'R')),
        value("a call of a type of numbers", p -> p.global("torch", "float32").op(')', 'R')),
        value("a storage", p -> p.storage("FloatStorage", "0", 6)),
        value("a storage of another type", p -> p.storage("ComplexFloatStorage", "0", 6)),
        value("a storage with a path for a key", p -> p.storage("FloatStorage", "../../x", 6)),
        value("a storage of negative length", p -> p.storage("FloatStorage", "0", -6)),
        value(
            "an optimizer's state",
            p ->
                p.op('}')
                    .text("state")
                    .op('}', 'K', 0, '}')
                    .text("exp_avg")
                    .tensor("9", 99, 0, TWO_BY_THREE, ROW_MAJOR)
                    .op('s', 's', 's')));
  }

  private static Arguments value(String what, UnaryOperator<PickleBytes> value) {
    return Arguments.of(what, value);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("values")
  void whatIsNotAskedForIsPassedOver(String what, UnaryOperator<PickleBytes> value)
      throws IOException {
    PickleBytes beside = new PickleBytes().op('}').open().text("other");
    value.apply(beside).text("state_dict").orderedDict().open();
    assertReads(write(weight(beside, "w").close().close()), "state_dict");

    PickleBytes among = new PickleBytes().orderedDict().open().text("other");
    assertReads(write(weight(value.apply(among), "w").close()), Checkpoint.BARE);
    assertFalse(Files.exists(Path.of("x")));
  }

  private static void assertReads(Path file, String section) {
    assertEquals(section, Checkpoints.read(file).section());
    try (Weights weights = Checkpoints.open(file)) {
      assertEquals(Set.of("w"), weights.names());
      assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, Tensors.floats(weights.get("w", 2, 3)));
    }
  }

  static Stream<Arguments> tensors() {
    return Stream.of(
        value("is sparse", p -> p.global("torch._utils", "_rebuild_sparse_tensor").op(')', 'R')),
        value("is quantized", p -> p.global("torch._utils", "_rebuild_qtensor").op(')', 'R')),
        value(
            "is made of 0 values",
            p -> p.global("torch._utils", "_rebuild_tensor_v2").op(')', 'R')),
        value("is of a type of its own", p -> subclass(p, "mine", "rebuild")),
        value(
            "has a String for its shape",
            p ->
                p.global("torch._utils", "_rebuild_tensor_v2")
                    .op('(')
                    .storage("FloatStorage", "0", 6)
                    .integer(0)
                    .text("s")
                    .tuple(1)
                    .op(0x89)
                    .orderedDict()
                    .op('t', 'R')),
        value(
            "is of torch.ComplexFloatStorage, which is not supported",
            p ->
                p.global("torch._utils", "_rebuild_tensor_v2")
                    .op('(')
                    .storage("ComplexFloatStorage", "0", 6)
                    .integer(0)
                    .tuple(6)
                    .tuple(1)
                    .op(0x89)
                    .orderedDict()
                    .op('t', 'R')));
  }

  private static PickleBytes subclass(PickleBytes pickle, String module, String function) {
    return pickle
        .global("torch._tensor", "_rebuild_from_type_v2")
        .op('(')
        .global(module, function)
        .op('N', ')', 'N', 't', 'R');
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("tensors")
  void aWantedTensorThatCannotBeReadIsNamed(String reason, UnaryOperator<PickleBytes> tensor)
      throws IOException {
    PickleBytes pickle = new PickleBytes().op('}').open().text("ema").orderedDict().open();
    weight(pickle, "w").close().text("state_dict").orderedDict().open().text("bad");
    Path file = write(weight(tensor.apply(pickle), "w").close().close());
    assertReads(file, "ema");
    WeightsException e =
        assertThrows(
            WeightsException.class, () -> Checkpoints.read(file, "state_dict").load().close());
    assertTrue(e.getMessage().startsWith(file + ": tensor bad: " + reason), e.getMessage());
  }

  @Test
  void tensorsOfOtherMakersAreTensors() throws IOException {
    PickleBytes pickle = new PickleBytes().op('}').open().text("w");
    pickle.global("torch._tensor", "_rebuild_from_type_v2").op('(');
    pickle.global("torch._utils", "_rebuild_tensor").global("torch", "Tensor").op('(');
    pickle.storage("FloatStorage", "0", 6).integer(0).tuple(TWO_BY_THREE).tuple(ROW_MAJOR);
    pickle.op('t').op('}', 't', 'R', '}', 'b').close();
    assertReads(write(pickle), Checkpoint.BARE);
  }

  @Test
  void aDictionaryOfPython2IsADictionary() throws IOException {
    PickleBytes pickle = new PickleBytes().global("collections", "OrderedDict").op(']', ']');
    weight(pickle.open(), "w").op('e', 'a', 0x85, 'R');
    assertReads(write(pickle), Checkpoint.BARE);
  }

  @Test
  void aWholeModelObjectIsNamedAsOne() throws IOException {
    Path file = write(new PickleBytes().global("models.vae", "VAE").op(')', 0x81, '}', 'b'));
    WeightsException e = assertThrows(WeightsException.class, () -> Checkpoints.read(file));
    assertTrue(e.getMessage().contains("holds an object of models.vae.VAE"), e.getMessage());
    assertTrue(e.getMessage().contains("state_dict()"), e.getMessage());
  }

  @Test
  void anyPlaceOfAFileCanBeNamed() throws IOException {
    PickleBytes pickle = new PickleBytes().op('}').open().text("generator").op('}').open();
    pickle.text("weights").orderedDict().open();
    Path file = write(weight(pickle, "w").close().close().close());
    WeightsException e = assertThrows(WeightsException.class, () -> Checkpoints.read(file));
    assertTrue(e.getMessage().contains("holds a dictionary of generator"), e.getMessage());
    try (Weights weights = Checkpoints.read(file, "generator.weights").load()) {
      assertEquals(Set.of("w"), weights.names());
    }
  }
}
