package io.bitloom.engine.tensor;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.PlacementConsumer;
import org.bytedeco.pytorch.RecordFunction;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.RecordScope;

/**
 * Counts the kernels that a GPU would be asked for by what the current thread says to libtorch, on
 * whatever device: libtorch tells of every operator that goes through its dispatcher.
 *
 * <p><b>The rule.</b> An operator is one launch, whatever it calls in turn, since on other devices
 * than GPUs it may be made of others: layer norm, matrix product with bias, attention, sums,
 * sorting. The operators of {@link #PASSING} are none, but what they call counts: views, memory
 * without values, conversions to a type that a tensor has, and those that choose among others. So a
 * copy that {@code contiguous}, {@code reshape} or {@code to} has to make is one launch.
 *
 * <p>A kernel may be split on a real GPU: attention of few queries over many keys and a product of
 * few rows add up parts in a second kernel, sorting takes several. These are libtorch's choices at
 * run time, which nothing here can change.
 */
public final class Launches implements AutoCloseable {
  private static final Set<String> PASSING =
      Set.of(
          // views
          "alias",
          "as_strided",
          "broadcast_tensors",
          "chunk",
          "detach",
          "expand",
          "expand_as",
          "flatten",
          "narrow",
          "permute",
          "_reshape_alias",
          "resolve_conj",
          "resolve_neg",
          "select",
          "slice",
          "split",
          "squeeze",
          "t",
          "transpose",
          "unbind",
          "_unsafe_view",
          "unflatten",
          "unsqueeze",
          "view",
          "view_as_complex",
          "view_as_real",
          // memory without values
          "empty",
          "empty_like",
          "empty_strided",
          "new_empty",
          "resize_",
          // what may have nothing to do, or chooses among others
          "clone",
          "contiguous",
          "full",
          "layer_norm",
          "linear",
          "matmul",
          "new_zeros",
          "pixel_shuffle",
          "pixel_unshuffle",
          "reshape",
          "reshape_as",
          "result_type",
          "rms_norm",
          "softmax",
          "to",
          "_to_copy",
          "zeros",
          "zeros_like");

  private static final String NAMESPACE = "aten::";

  /** An operator that ended, with the number of its start. */
  private record Ended(long start, List<String> launches) {}

  private final Deque<Ended> ended = new ArrayDeque<>(); // those no surrounding operator of ended
  private final Seen seen = new Seen();
  private final OperatorEnded callback = new OperatorEnded();
  private final long handle;

  private Launches() {
    handle = torch.addThreadLocalCallback(onEnd(callback));
  }

  /** Counts from now on, on the current thread, which also closes it. */
  public static Launches start() {
    LibTorch.start();
    return new Launches();
  }

  /** Operators that were launched since the start or the last call, in the order of their ends. */
  public List<String> take() {
    List<String> launches = new ArrayList<>();
    ended.forEach(operator -> launches.addAll(operator.launches()));
    ended.clear();
    return launches;
  }

  @Override
  public void close() {
    torch.removeCallback(handle);
    callback.close();
    seen.close();
  }

  private void end(String operator, long start) {
    List<String> launches = new ArrayList<>();
    while (!ended.isEmpty() && ended.getLast().start() > start) { // it was called by this one
      launches.addAll(0, ended.removeLast().launches());
    }
    String name =
        operator.startsWith(NAMESPACE) ? operator.substring(NAMESPACE.length()) : operator;
    ended.addLast(new Ended(start, PASSING.contains(name) ? launches : List.of(name)));
  }

  /**
   * A {@code at::RecordFunctionCallback}, which the presets know by address only: functions for the
   * start (none) and the end of an operator, the share of calls to tell of, for each kind of scope
   * whether to tell of it, and whether inputs, outputs and numbers of starts are wanted.
   */
  private static Pointer onEnd(PlacementConsumer callback) {
    int pointers = 2 * Long.BYTES;
    int scopes = pointers + Double.BYTES;
    int flags = scopes + RecordScope.NUM_SCOPES.value;
    BytePointer record = new BytePointer(flags + 2L * Long.BYTES);
    record.zero();
    LongPointer words = new LongPointer(record);
    words.put(1, new LongPointer(callback).get()); // a callback begins with its native function
    words.put(2, Double.doubleToRawLongBits(1));
    record.put(scopes + (long) RecordScope.FUNCTION.value, (byte) 1);
    record.put(flags + 2L, (byte) 1);
    return record;
  }

  /** Two pointers in, nothing out: what libtorch calls at the end of an operator. */
  private final class OperatorEnded extends PlacementConsumer {
    @Override
    public void call(Pointer function, long context) {
      seen.at(function);
      end(seen.name().getString(), seen.handle());
    }
  }

  /** libtorch's record of a call, read where it lies. */
  private static final class Seen extends RecordFunction {
    void at(Pointer record) {
      address = record.address();
    }
  }
}
