package io.bitloom.engine.checkpoint;

import io.bitloom.engine.checkpoint.Pickled.Global;
import io.bitloom.engine.checkpoint.Pickled.Opaque;
import io.bitloom.engine.checkpoint.Pickled.Storage;
import io.bitloom.engine.checkpoint.Pickled.TensorView;
import io.bitloom.engine.checkpoint.Pickled.Tuple;
import io.bitloom.engine.checkpoint.Pickled.Unreadable;
import io.bitloom.engine.tensor.DType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The globals of a PyTorch checkpoint that stand for something, and the plain data that it is. All
 * others are opaque.
 */
final class TorchGlobals {
  private static final Map<String, DType> STORAGES =
      Map.of(
          "DoubleStorage", DType.F64,
          "FloatStorage", DType.F32,
          "HalfStorage", DType.F16,
          "BFloat16Storage", DType.BF16,
          "LongStorage", DType.I64,
          "IntStorage", DType.I32,
          "ShortStorage", DType.I16,
          "CharStorage", DType.I8,
          "ByteStorage", DType.U8,
          "BoolStorage", DType.BOOL);

  private static final Set<String> CALLED =
      Set.of(
          "collections.OrderedDict",
          "collections.defaultdict",
          "torch._utils._rebuild_tensor",
          "torch._utils._rebuild_tensor_v2",
          "torch._utils._rebuild_parameter",
          "torch._utils._rebuild_parameter_with_state",
          "torch._tensor._rebuild_from_type_v2",
          "torch.Size",
          "torch.device",
          "builtins.set",
          "__builtin__.set");

  private static final Set<String> FUNCTIONS_OF_TENSORS =
      Set.of(
          "torch._utils._rebuild_tensor",
          "torch._utils._rebuild_tensor_v2",
          "torch._utils._rebuild_parameter",
          "torch._utils._rebuild_parameter_with_state");

  /** Kinds of tensors that are no rows of numbers in memory. */
  private static final Map<String, String> OTHER_TENSORS =
      Map.of(
          "torch._utils._rebuild_sparse_tensor", "is sparse; store it with to_dense()",
          "torch._utils._rebuild_qtensor", "is quantized; store it with dequantize()",
          "torch._utils._rebuild_nested_tensor", "is nested",
          "torch._utils._rebuild_tensor_v3", "is of a type that is not supported",
          "torch._utils._rebuild_meta_tensor_no_storage", "has no data",
          "torch._utils._rebuild_device_tensor_from_numpy", "lies on a device without storage");

  /** libtorch's own limit. */
  private static final int MAX_AXES = 64;

  private static final Set<String> NAMED =
      Set.of(
          "torch.float64",
          "torch.float32",
          "torch.float16",
          "torch.bfloat16",
          "torch.int64",
          "torch.int32",
          "torch.int16",
          "torch.int8",
          "torch.uint8",
          "torch.bool");

  private TorchGlobals() {}

  static boolean allows(Global global) {
    String name = global.toString();
    return CALLED.contains(name)
        || NAMED.contains(name)
        || OTHER_TENSORS.containsKey(name)
        || isStorage(global);
  }

  private static boolean isStorage(Global global) {
    return global.module().equals("torch") && STORAGES.containsKey(global.name());
  }

  /**
   * What a persistent id stands for: {@code ("storage", type, key, location, elements)}; an opaque
   * value if it is none of these.
   */
  static Object storage(Object id) {
    List<Object> parts = id instanceof Tuple tuple ? tuple.items() : List.of();
    if (parts.size() >= 5
        && "storage".equals(parts.get(0))
        && parts.get(2) instanceof String key
        && key.matches("[A-Za-z0-9_]{1,64}")
        && parts.get(4) instanceof Long elements
        && elements >= 0
        && (parts.size() == 5 || parts.get(5) == null)) { // views were dropped long ago
      return parts.get(1) instanceof Global type && isStorage(type)
          ? new Storage(STORAGES.get(type.name()), key, elements)
          : new Opaque(Pickled.kind(parts.get(1)));
    }
    return new Opaque("a persistent id that is no storage");
  }

  /** What a call yields, as if it had been made; an opaque value where that is nothing we need. */
  static Object rebuild(Object callee, Object arguments) {
    List<Object> values = arguments instanceof Tuple tuple ? tuple.items() : List.of();
    if (!(callee instanceof Global global)) {
      String what = callee instanceof Opaque opaque ? opaque.what() : Pickled.kind(callee);
      return new Opaque(what, true);
    }
    Object first = values.isEmpty() ? null : values.get(0);
    return switch (global.toString()) {
      case "collections.OrderedDict" -> dictionary(first);
      case "collections.defaultdict" -> dictionary(values.size() > 1 ? values.get(1) : null);
      case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2" -> tensor(values);
      case "torch._tensor._rebuild_from_type_v2" ->
          first instanceof Global function
                  && FUNCTIONS_OF_TENSORS.contains(function.toString())
                  && values.size() > 2
              ? rebuild(function, values.get(2))
              : new Unreadable("is of a type of its own");
      case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state" ->
          first instanceof TensorView || first instanceof Unreadable
              ? first
              : new Unreadable("is a parameter of " + Pickled.kind(first));
      case "torch.Size", "torch.device", "builtins.set", "__builtin__.set" ->
          values.isEmpty() ? new Opaque(global.toString()) : first;
      default ->
          OTHER_TENSORS.containsKey(global.toString())
              ? new Unreadable(OTHER_TENSORS.get(global.toString()))
              : new Opaque(global.toString(), true);
    };
  }

  /** A dictionary, empty or of a list of pairs. */
  private static Map<Object, Object> dictionary(Object pairs) {
    Map<Object, Object> dictionary = new LinkedHashMap<>();
    if (pairs instanceof List<?> list) {
      for (Object item : list) {
        List<?> pair =
            item instanceof Tuple tuple ? tuple.items() : item instanceof List<?> two ? two : null;
        if (pair != null && pair.size() == 2 && pair.get(0) instanceof String key) {
          dictionary.put(key, pair.get(1));
        }
      }
    }
    return dictionary;
  }

  private static Object tensor(List<Object> values) {
    if (values.size() < 4) {
      return new Unreadable("is made of " + values.size() + " values");
    }
    if (!(values.get(0) instanceof Storage storage)) {
      return new Unreadable("is of " + Pickled.kind(values.get(0)) + ", which is not supported");
    }
    if (!(values.get(1) instanceof Long offset)) {
      return new Unreadable("has " + Pickled.kind(values.get(1)) + " for an offset");
    }
    for (int i : new int[] {2, 3}) {
      if (!isIntegers(values.get(i))) {
        return new Unreadable(
            "has " + Pickled.kind(values.get(i)) + " for its " + (i == 2 ? "shape" : "strides"));
      }
    }
    return new TensorView(storage, offset, integers(values.get(2)), integers(values.get(3)));
  }

  private static boolean isIntegers(Object value) {
    return value instanceof Tuple tuple
        && tuple.items().size() <= MAX_AXES
        && tuple.items().stream().allMatch(Long.class::isInstance);
  }

  private static List<Long> integers(Object value) {
    return ((Tuple) value).items().stream().map(Long.class::cast).toList();
  }
}
