package io.bitloom.worker.checkpoint;

import io.bitloom.worker.checkpoint.Pickled.Global;
import io.bitloom.worker.checkpoint.Pickled.Tuple;
import io.bitloom.worker.tensor.WeightsException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Reads Python pickles of protocol 2 to 5 as far as PyTorch checkpoints need them.
 *
 * <p>A pickle is a program for a stack machine. This machine knows no way to call anything: a
 * global is only a name, {@link TorchGlobals} lists those that may occur, and what "calling" one of
 * them yields is plain data. The work is linear in the length of the pickle: nothing is copied, and
 * no container is walked, so references that nest or lead back to themselves cost nothing.
 *
 * @see <a href="https://github.com/python/cpython/blob/main/Lib/pickletools.py">the opcodes</a>
 */
final class PickleReader {
  private static final int MAX_PROTOCOL = 5;

  private final String source;
  private final ByteBuffer in;
  private final Deque<List<Object>> frames = new ArrayDeque<>();
  private final Map<Integer, Object> memo = new HashMap<>();
  private List<Object> stack = new ArrayList<>();

  private PickleReader(String source, byte[] pickle) {
    this.source = source;
    this.in = ByteBuffer.wrap(pickle).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * The value that a pickle describes.
   *
   * @throws WeightsException naming the file, the place and, where there is one, the tensor
   */
  static Object read(String source, byte[] pickle) {
    PickleReader reader = new PickleReader(source, pickle);
    try {
      return reader.run();
    } catch (BufferUnderflowException e) {
      throw reader.fault("is truncated");
    }
  }

  private Object run() {
    while (true) {
      int at = in.position();
      int opcode = Byte.toUnsignedInt(in.get());
      if (opcode == '.') {
        return pop();
      }
      if (!structure(opcode) && !literal(opcode)) {
        throw fault(
            String.format(Locale.ROOT, "opcode 0x%02x at byte %d is not allowed", opcode, at));
      }
    }
  }

  /** Opcodes that combine what is on the stack. */
  private boolean structure(int opcode) {
    switch (opcode) {
      case 0x80 -> protocol();
      case 0x95 -> in.getLong(); // FRAME: a hint for buffered reading
      case '(' -> {
        frames.push(stack);
        stack = new ArrayList<>();
      }
      case '0' -> pop();
      case '1' -> popFrame();
      case '2' -> push(top());
      case 'q' -> memo.put(Byte.toUnsignedInt(in.get()), top());
      case 'r' -> memo.put(in.getInt(), top());
      case 0x94 -> memo.put(memo.size(), top());
      case 'h' -> push(recall(Byte.toUnsignedInt(in.get())));
      case 'j' -> push(recall(in.getInt()));
      case ')' -> push(new Tuple(List.of()));
      case 0x85 -> push(tuple(1));
      case 0x86 -> push(tuple(2));
      case 0x87 -> push(tuple(3));
      case 't' -> {
        List<Object> items = popFrame();
        push(new Tuple(Collections.unmodifiableList(items)));
      }
      case ']', 0x8f -> push(new ArrayList<>());
      case 'a' -> {
        Object item = pop();
        list(top()).add(item);
      }
      case 'e', 0x90 -> {
        List<Object> items = popFrame();
        list(top()).addAll(items);
      }
      case '}' -> push(new LinkedHashMap<>());
      case 's' -> {
        Object value = pop();
        Object key = pop();
        put(dictionary(top()), key, value);
      }
      case 'u' -> {
        List<Object> items = popFrame();
        Map<Object, Object> dictionary = dictionary(top());
        if (items.size() % 2 != 0) {
          throw fault("a dictionary has a key without a value");
        }
        for (int i = 0; i < items.size(); i += 2) {
          put(dictionary, items.get(i), items.get(i + 1));
        }
      }
      case 'c' -> push(global(line(), line()));
      case 0x93 -> {
        Object name = pop();
        Object module = pop();
        push(global(text(module), text(name)));
      }
      case 'Q' -> {
        Object id = pop();
        push(guarded(() -> TorchGlobals.storage(id)));
      }
      case 'R', 0x81 -> {
        Object arguments = pop();
        Object callee = pop();
        push(guarded(() -> TorchGlobals.rebuild(callee, arguments)));
      }
      case 'b' -> {
        pop(); // the attributes of an OrderedDict, such as a state dict's _metadata
        dictionary(top());
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  /** Opcodes that push a value of their own. */
  private boolean literal(int opcode) {
    switch (opcode) {
      case 'N' -> push(null);
      case 0x88 -> push(true);
      case 0x89 -> push(false);
      case 'K' -> push((long) Byte.toUnsignedInt(in.get()));
      case 'M' -> push((long) Short.toUnsignedInt(in.getShort()));
      case 'J' -> push((long) in.getInt());
      case 0x8a -> push(integer(Byte.toUnsignedInt(in.get())));
      case 'G' -> push(Double.longBitsToDouble(Long.reverseBytes(in.getLong())));
      case 0x8c -> push(utf8(Byte.toUnsignedInt(in.get())));
      case 'X' -> push(utf8(Integer.toUnsignedLong(in.getInt())));
      case 0x8d -> push(utf8(in.getLong()));
      case 'U' -> push(latin1(Byte.toUnsignedInt(in.get())));
      case 'T', 'B' -> push(latin1(Integer.toUnsignedLong(in.getInt())));
      case 'C' -> push(latin1(Byte.toUnsignedInt(in.get())));
      default -> {
        return false;
      }
    }
    return true;
  }

  private void protocol() {
    int protocol = Byte.toUnsignedInt(in.get());
    if (protocol < 2 || protocol > MAX_PROTOCOL) {
      throw fault("pickle protocol " + protocol + " is not supported");
    }
  }

  private Global global(String module, String name) {
    Global global = new Global(module, name);
    if (!TorchGlobals.allows(global)) {
      throw fault("names " + global + ", which is not on the allow-list");
    }
    return global;
  }

  private void put(Map<Object, Object> dictionary, Object key, Object value) {
    if (!(key instanceof String || key instanceof Long || key instanceof Boolean)) {
      throw fault("a dictionary has " + Pickled.kind(key) + " for a key");
    }
    if (dictionary.containsKey(key)) {
      throw fault("a dictionary has the key " + key + " twice");
    }
    dictionary.put(key, value);
  }

  private Object recall(int index) {
    if (!memo.containsKey(index)) {
      throw fault("recalls value " + index + ", which was not stored");
    }
    return memo.get(index);
  }

  private Tuple tuple(int size) {
    Object[] items = new Object[size];
    for (int i = size - 1; i >= 0; i--) {
      items[i] = pop();
    }
    return new Tuple(Collections.unmodifiableList(Arrays.asList(items)));
  }

  private void push(Object value) {
    stack.add(value);
  }

  private Object pop() {
    if (stack.isEmpty()) {
      throw fault("takes a value from an empty stack");
    }
    return stack.remove(stack.size() - 1);
  }

  private Object top() {
    if (stack.isEmpty()) {
      throw fault("takes a value from an empty stack");
    }
    return stack.get(stack.size() - 1);
  }

  private List<Object> popFrame() {
    if (frames.isEmpty()) {
      throw fault("closes a mark that was not set");
    }
    List<Object> items = stack;
    stack = frames.pop();
    return items;
  }

  @SuppressWarnings("unchecked")
  private Map<Object, Object> dictionary(Object value) {
    if (value instanceof Map) {
      return (Map<Object, Object>) value;
    }
    throw fault("treats " + Pickled.kind(value) + " as a dictionary");
  }

  @SuppressWarnings("unchecked")
  private List<Object> list(Object value) {
    if (value instanceof List) {
      return (List<Object>) value;
    }
    throw fault("treats " + Pickled.kind(value) + " as a list");
  }

  private String text(Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw fault("treats " + Pickled.kind(value) + " as text");
  }

  private long integer(int bytes) {
    if (bytes > Long.BYTES) {
      throw fault("has an integer of " + bytes + " bytes");
    }
    long value = 0;
    byte last = 0;
    for (int i = 0; i < bytes; i++) {
      last = in.get();
      value |= (long) Byte.toUnsignedInt(last) << (8 * i);
    }
    int unused = 64 - 8 * bytes;
    return bytes == 0 ? 0 : value << unused >> unused; // sign of the highest byte
  }

  private String utf8(long length) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(take(length)).toString();
    } catch (CharacterCodingException e) {
      throw fault("has text that is not UTF-8");
    }
  }

  private String latin1(long length) {
    return StandardCharsets.ISO_8859_1.decode(take(length)).toString();
  }

  private ByteBuffer take(long length) {
    if (length < 0 || length > in.remaining()) {
      throw fault("has text of " + length + " bytes with " + in.remaining() + " left");
    }
    ByteBuffer bytes = in.slice(in.position(), (int) length);
    in.position(in.position() + (int) length);
    return bytes;
  }

  private String line() {
    int start = in.position();
    int length = 0;
    while (in.get() != '\n') {
      if (++length > 256) {
        throw fault("names a global of more than 256 bytes");
      }
    }
    return StandardCharsets.ISO_8859_1.decode(in.slice(start, length)).toString();
  }

  /** Adds file, place and tensor to what {@link TorchGlobals} has to say. */
  private Object guarded(Supplier<Object> rebuild) {
    try {
      return rebuild.get();
    } catch (IllegalArgumentException e) {
      throw fault(e.getMessage());
    }
  }

  /** The value under construction is that of the nearest text on the stack, a dictionary's key. */
  private WeightsException fault(String reason) {
    String place = "pickle, byte " + in.position() + ": " + reason;
    List<List<Object>> open = new ArrayList<>();
    open.add(stack);
    open.addAll(frames);
    for (List<Object> frame : open) {
      if (!frame.isEmpty() && frame.get(frame.size() - 1) instanceof String key) {
        return new WeightsException(source, key, place);
      }
    }
    return new WeightsException(source, place);
  }
}
