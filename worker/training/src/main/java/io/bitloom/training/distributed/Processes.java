package io.bitloom.training.distributed;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.Backend;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.ProcessGroupGloo;
import org.bytedeco.pytorch.Store;
import org.bytedeco.pytorch.TCPStore;
import org.bytedeco.pytorch.TCPStoreOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.Work;

/**
 * The processes that train one model together (c10d): with Gloo on CPUs, with NCCL on GPUs, one
 * each. They meet at an address, where the first of them listens. Every call is made by all of them
 * in the same order.
 */
public final class Processes implements AutoCloseable {
  /** On GPUs: messages that a link runs at full speed with, several of them at a time. */
  private static final long GPU_MESSAGE_BYTES = 256L << 20;

  private final int rank;
  private final int count;
  private final TorchDevice device; // that tensors are summed on
  private final Backend group; // null for a single process
  private final List<Pointer> owned = new ArrayList<>();

  /** Another process is gone, or did not answer in time. */
  public static final class LostException extends RuntimeException {
    private static final long serialVersionUID = 1;

    LostException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * Where processes meet.
   *
   * @param host address that the process of rank 0 listens on
   * @param port its TCP port
   * @param rank number of this process
   * @param count number of all processes
   * @param timeout how long a process waits for the others
   */
  public record Rendezvous(String host, int port, int rank, int count, Duration timeout) {
    /**
     * @throws IllegalArgumentException naming the value that is out of range
     */
    public Rendezvous {
      if (count < 1 || rank < 0 || rank >= count) {
        throw new IllegalArgumentException(
            "rank: expected 0 to " + (count - 1) + ", got " + rank + " of " + count);
      }
      if (port < 1 || port > 65535) {
        throw new IllegalArgumentException("port: expected 1 to 65535, got " + port);
      }
    }
  }

  private Processes(int rank, int count, TorchDevice device, Backend group) {
    this.rank = rank;
    this.count = count;
    this.device = device;
    this.group = group;
  }

  /** One process on its own. */
  public static Processes alone() {
    return new Processes(0, 1, TorchDevice.CPU, null);
  }

  /**
   * Waits for all processes.
   *
   * @param device that this process trains on
   * @throws LostException if they do not come in time
   */
  public static Processes meet(Rendezvous rendezvous, TorchDevice device) {
    if (rendezvous.count() == 1) {
      return alone();
    }
    try (Scope scope = Scope.open()) {
      Loader.load(Milliseconds.class); // not part of libtorch's own bindings
      Milliseconds timeout = new Milliseconds(rendezvous.timeout().toMillis());
      TCPStoreOptions storeOptions = new TCPStoreOptions();
      storeOptions
          .port((short) rendezvous.port())
          .isServer(rendezvous.rank() == 0)
          .waitWorkers(false)
          .timeout(timeout);
      TCPStore store = Scope.own(new TCPStore(rendezvous.host(), storeOptions));
      Backend group =
          Scope.own(
              device.cuda()
                  ? NcclGroup.of(store, rendezvous, timeout)
                  : gloo(store, rendezvous, timeout));
      Processes processes = new Processes(rendezvous.rank(), rendezvous.count(), device, group);
      processes.owned.add(group);
      processes.owned.add(store);
      return processes;
    } catch (RuntimeException e) {
      throw lost("the processes did not meet at " + rendezvous.host(), e);
    }
  }

  private static Backend gloo(Store store, Rendezvous rendezvous, Milliseconds timeout) {
    ProcessGroupGloo.Options options = ProcessGroupGloo.Options.create(timeout);
    options.devices().push_back(ProcessGroupGloo.createDeviceForHostname(rendezvous.host()));
    return new ProcessGroupGloo(store, rendezvous.rank(), rendezvous.count(), options);
  }

  /** Number of this process; 0 is the one that writes. */
  public int rank() {
    return rank;
  }

  /** Number of all processes. */
  public int count() {
    return count;
  }

  /** This process's share of a list; the shares are as equal as they can be. */
  public <T> List<T> share(List<T> all) {
    return all.subList(rank * all.size() / count, (rank + 1) * all.size() / count);
  }

  /**
   * Bytes that the tensors of {@link #sumInPlace} are best made of: on CPUs one message for all,
   * for the first would not be used before the last is there.
   */
  public long messageBytes() {
    return device.cuda() ? GPU_MESSAGE_BYTES : Long.MAX_VALUE;
  }

  /**
   * Replaces tensors, which lie dense in the memory of the device, by their sums over all
   * processes. All messages are on their way before the first is waited for; a GPU's queue waits,
   * not this thread.
   *
   * @throws LostException if a process is gone
   */
  public void sumInPlace(List<Tensor> tensors) {
    if (group == null) {
      return;
    }
    try (Scope scope = Scope.open();
        NoGradGuard noGradients = new NoGradGuard()) {
      List<Work> started =
          tensors.stream().map(tensor -> group.allreduce(new TensorVector(tensor))).toList();
      for (Work work : started) {
        if (!work._wait()) {
          throw new IllegalStateException("the sum was not made");
        }
      }
    } catch (RuntimeException e) {
      throw lost("process " + rank + " of " + count + " has lost another one", e);
    }
  }

  /**
   * Replaces tensors by their sums over all processes, in one message for all.
   *
   * @throws LostException if a process is gone
   */
  public void sum(List<Tensor> tensors) {
    if (group == null) {
      return;
    }
    try (Scope scope = Scope.open();
        NoGradGuard noGradients = new NoGradGuard()) {
      Tensor all = Tensors.concat(tensors.stream().map(Tensor::flatten).toList(), 0);
      sumInPlace(List.of(all));
      long offset = 0;
      for (Tensor tensor : tensors) {
        tensor.copy_(all.narrow(0, offset, tensor.numel()).view(tensor.shape()));
        offset += tensor.numel();
      }
    }
  }

  /**
   * Sums of numbers over all processes.
   *
   * @throws LostException if a process is gone
   */
  public double[] sum(double... values) {
    if (group == null) {
      return values;
    }
    try (Scope scope = Scope.open()) {
      Tensor tensor = Tensors.to(Tensors.of(values, values.length), device, DType.F64);
      sumInPlace(List.of(tensor));
      return Tensors.doubles(tensor);
    }
  }

  private static LostException lost(String message, RuntimeException cause) {
    String reason = String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
    return new LostException(message + ": " + reason, cause);
  }

  @Override
  public void close() {
    owned.forEach(Pointer::close);
    owned.clear();
  }
}
