package io.bitloom.engine.checkpoint;

import io.bitloom.engine.checkpoint.Pickled.Global;
import io.bitloom.engine.checkpoint.Pickled.Opaque;
import io.bitloom.engine.checkpoint.Pickled.Storage;
import io.bitloom.engine.checkpoint.Pickled.Tuple;
import io.bitloom.engine.tensor.WeightsException;
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
import java.util.function.Consumer;

/**
 * Reads Python pickles of protocol 2 to 5 as far as PyTorch checkpoints need them.
 *
 * <p>A pickle is a program for a stack machine. This machine knows no way to call anything: a
 * global is only a name, and what "calling" one of those that {@link TorchGlobals} lists yields is
 * plain data. Any other name, and whatever is made of it, is an opaque value that is passed over:
 * training checkpoints hold arguments, schedules and random states beside the weights. The work is
 * linear in the length of the pickle: nothing is copied, and no container is walked or hashed, so
 * references that nest or lead back to themselves cost nothing.
 *
 * @see <a href="https://github.com/python/cpython/blob/main/Lib/pickletools.py">the opcodes</a>
 */
final class PickleReader {
  private static final int MAX_PROTOCOL = 5;

  private static final int MAX_NAME = 256;

  /** Many times what any checkpoint has; what they take fits a small heap. */
  private static final int MAX_VALUES = 1 << 22;

  private final String source;
  private final ByteBuffer in;
  private final Consumer<Storage> storages;
  private final Deque<List<Object>> frames = new ArrayDeque<>();
  private final Map<Integer, Object> memo = new HashMap<>();
  private List<Object> stack = new ArrayList<>();
  private int values;

  private PickleReader(String source, ByteBuffer pickle, Consumer<Storage> storages) {
    this.source = source;
    this.storages = storages;
    this.in = pickle.order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * The value that a pickle describes.
   *
   * @throws WeightsException naming the file, the place and, where there is one, the tensor
   */
  static Object read(String source, ByteBuffer pickle) {
    return read(source, pickle, storage -> {});
  }

  /**
   * {@link #read(String, ByteBuffer)} from where the buffer stands; it is then behind the pickle.
   *
   * @param storages takes each storage that the pickle names
   */
  static Object read(String source, ByteBuffer pickle, Consumer<Storage> storages) {
    PickleReader reader = new PickleReader(source, pickle, storages);
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
      if (!structure(opcode) && !container(opcode) && !object(opcode) && !literal(opcode)) {
        throw fault(
            String.format(Locale.ROOT, "opcode 0x%02x at byte %d is not allowed", opcode, at));
      }
    }
  }

  /** Opcodes that arrange what is on the stack. */
  private boolean structure(int opcode) {
    switch (opcode) {
      case 0x80 -> protocol();
      case 0x95 -> in.getLong(); // FRAME: a hint for buffered reading
      case '(' -> {
        count(1);
        frames.push(stack);
        stack = new ArrayList<>();
      }
      case '0' -> pop();
      case '1' -> popFrame();
      case '2' -> push(top());
      case 'q' -> memorize(Byte.toUnsignedInt(in.get()));
      case 'r' -> memorize(in.getInt());
      case 0x94 -> memorize(memo.size());
      case 'h' -> push(recall(Byte.toUnsignedInt(in.get())));
      case 'j' -> push(recall(in.getInt()));
      default -> {
        return false;
      }
    }
    return true;
  }

  /** Opcodes that make and fill tuples, lists, sets and dictionaries. */
  private boolean container(int opcode) {
    switch (opcode) {
      case ')' -> push(new Tuple(List.of()));
      case 0x85 -> push(tuple(1));
      case 0x86 -> push(tuple(2));
      case 0x87 -> push(tuple(3));
      case 't' -> {
        List<Object> items = popFrame();
        push(new Tuple(Collections.unmodifiableList(items)));
      }
      case ']', 0x8f -> push(new ArrayList<>());
      case 0x91 -> {
        popFrame();
        push(new Opaque("a frozen set"));
      }
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
        put(top(), key, value);
      }
      case 'u' -> {
        List<Object> items = popFrame();
        if (items.size() % 2 != 0) {
          throw fault("a dictionary has a key without a value");
        }
        for (int i = 0; i < items.size(); i += 2) {
          put(top(), items.get(i), items.get(i + 1));
        }
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  /** Opcodes that name things and make objects of them. */
  private boolean object(int opcode) {
    switch (opcode) {
      case 'c' -> push(global(line(), line()));
      case 0x93 -> {
        Object name = pop();
        Object module = pop();
        push(global(name(module), name(name)));
      }
      case 'i' -> {
        popFrame();
        push(new Opaque(line() + "." + line(), true));
      }
      case 'o' -> {
        popFrame();
        push(new Opaque("a class", true));
      }
      case 0x82 -> push(new Opaque("extension " + Byte.toUnsignedInt(in.get())));
      case 0x83 -> push(new Opaque("extension " + Short.toUnsignedInt(in.getShort())));
      case 0x84 -> push(new Opaque("extension " + in.getInt()));
      case 'Q' -> {
        Object named = TorchGlobals.storage(pop());
        if (named instanceof Storage storage) {
          storages.accept(storage);
        }
        push(named);
      }
      case 'R', 0x81 -> {
        Object arguments = pop();
        push(rebuild(pop(), arguments));
      }
      case 0x92 -> {
        pop(); // arguments by name
        Object arguments = pop();
        push(rebuild(pop(), arguments));
      }
      case 'b' -> {
        pop(); // attributes, such as a state dict's _metadata
        top();
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
      case 0x8b -> push(integer(Integer.toUnsignedLong(in.getInt())));
      case 'G' -> push(Double.longBitsToDouble(Long.reverseBytes(in.getLong())));
      case 0x8c -> push(utf8(Byte.toUnsignedInt(in.get())));
      case 'X' -> push(utf8(Integer.toUnsignedLong(in.getInt())));
      case 0x8d -> push(utf8(in.getLong()));
      case 'U' -> push(latin1(Byte.toUnsignedInt(in.get())));
      case 'T' -> push(latin1(Integer.toUnsignedLong(in.getInt())));
      case 'C' -> push(bytes(Byte.toUnsignedInt(in.get())));
      case 'B' -> push(bytes(Integer.toUnsignedLong(in.getInt())));
      case 0x8e, 0x96 -> push(bytes(in.getLong()));
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

  private static Object global(String module, String name) {
    Global global = new Global(module, name);
    return TorchGlobals.allows(global) ? global : new Opaque(global.toString());
  }

  /**
   * Tuples and objects are not hashed, which could take for ever, so what is under such a key is
   * lost; nothing that is read here has one.
   */
  private void put(Object target, Object key, Object value) {
    if (target instanceof Opaque) {
      return;
    }
    Map<Object, Object> dictionary = dictionary(target);
    if (key instanceof String || key instanceof Long || key instanceof Boolean) {
      dictionary.put(key, value);
    }
  }

  /** A list of pairs is the one thing that a call copies; it may be named again and again. */
  private Object rebuild(Object callee, Object arguments) {
    if (arguments instanceof Tuple tuple) {
      for (Object argument : tuple.items().subList(0, Math.min(2, tuple.items().size()))) {
        count(argument instanceof List<?> pairs ? pairs.size() : 0);
      }
    }
    return TorchGlobals.rebuild(callee, arguments);
  }

  private void memorize(int index) {
    count(1);
    memo.put(index, top());
  }

  private void count(int more) {
    values += more;
    if (values < 0 || values > MAX_VALUES) {
      throw fault("has more than " + MAX_VALUES + " values");
    }
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
    count(1);
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
    if (value instanceof Opaque) {
      return new ArrayList<>();
    }
    throw fault("treats " + Pickled.kind(value) + " as a list");
  }

  private String name(Object value) {
    if (value instanceof String name && name.length() <= MAX_NAME) {
      return name;
    }
    throw fault("treats " + Pickled.kind(value) + " as the name of a global");
  }

  private Object integer(long bytes) {
    ByteBuffer digits = take(bytes);
    if (bytes > Long.BYTES) {
      return new Opaque("an integer of " + bytes + " bytes");
    }
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value |= (long) Byte.toUnsignedInt(digits.get(i)) << (8 * i);
    }
    int unused = (int) (64 - 8 * bytes);
    return bytes == 0 ? 0L : (Object) (value << unused >> unused); // sign of the highest byte
  }

  private Opaque bytes(long length) {
    take(length);
    return new Opaque(length + " bytes");
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
      throw fault("has a value of " + length + " bytes with " + in.remaining() + " left");
    }
    ByteBuffer bytes = in.slice(in.position(), (int) length);
    in.position(in.position() + (int) length);
    return bytes;
  }

  private String line() {
    int start = in.position();
    int length = 0;
    while (in.get() != '\n') {
      if (++length > MAX_NAME) {
        throw fault("names a global of more than " + MAX_NAME + " bytes");
      }
    }
    return StandardCharsets.ISO_8859_1.decode(in.slice(start, length)).toString();
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
