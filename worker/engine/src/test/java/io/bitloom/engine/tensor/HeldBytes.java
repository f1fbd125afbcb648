package io.bitloom.engine.tensor;

import java.lang.reflect.Field;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.StorageImpl;
import org.bytedeco.pytorch.Tensor;

/**
 * How many bytes of a device the open scopes of this thread hold at most, each storage counted
 * once. Looks whenever a scope is about to close, because between two such moments memory is only
 * taken. What operators take and give back inside of libtorch is not seen, nor are tensors outside
 * of all scopes, as weights are.
 */
public final class HeldBytes implements AutoCloseable {
  private record Storage(long address, long bytes) {}

  private static final Storage NONE = new Storage(0, 0);

  private final TorchDevice device;
  private final Set<Long> passedOver = new HashSet<>();
  private final Map<Pointer, Storage> storages = new IdentityHashMap<>();
  private long most;

  /**
   * Begins to look.
   *
   * @param weights whose storages do not count, though scopes have views of them
   */
  public HeldBytes(TorchDevice device, Weights... weights) {
    this.device = device;
    for (Weights some : weights) {
      some.names().forEach(name -> passedOver.add(storage(some.get(name)).address()));
    }
    look(true);
  }

  /** Looks from now on, or no longer, as where little is held for long. */
  public void look(boolean on) {
    Scope.beforeClosing(on ? () -> most = Math.max(most, now()) : null);
  }

  /** Bytes that were held at most since the start. */
  public long most() {
    return most;
  }

  /** Bytes that are held at this moment. */
  public long now() {
    Map<Long, Long> held = new HashMap<>();
    Iterator<PointerScope> scopes = PointerScope.getScopeIterator();
    while (scopes != null && scopes.hasNext()) {
      for (Pointer pointer : pointers(scopes.next())) {
        if (pointer instanceof Tensor tensor && !pointer.isNull()) {
          Storage storage = storages.get(pointer);
          if (storage == null) {
            storage = storage(tensor);
            storages.put(pointer, storage);
          }
          held.put(storage.address(), storage.bytes());
        }
      }
    }
    held.keySet().removeAll(passedOver);
    return held.values().stream().mapToLong(Long::longValue).sum();
  }

  private Storage storage(Tensor tensor) {
    try (PointerScope scope = new PointerScope()) {
      if (!tensor.defined() || !TorchDevice.of(tensor).equals(device)) {
        return NONE;
      }
      StorageImpl storage = tensor.storage().unsafeGetStorageImpl();
      return new Storage(storage.address(), storage.nbytes());
    }
  }

  @SuppressWarnings("unchecked")
  private static Deque<Pointer> pointers(PointerScope scope) {
    try {
      Field stack = PointerScope.class.getDeclaredField("pointerStack");
      stack.setAccessible(true);
      return (Deque<Pointer>) stack.get(scope);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError("JavaCPP keeps the pointers of a scope elsewhere", e);
    }
  }

  @Override
  public void close() {
    Scope.beforeClosing(null);
  }
}
