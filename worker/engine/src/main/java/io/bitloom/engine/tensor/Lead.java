package io.bitloom.engine.tensor;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Supplier;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.DeviceGuardImplInterface;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.EventFlag;

/**
 * Keeps the host at most one step ahead of a GPU, which takes work in advance: else a whole batch
 * would be queued before the first of it is done, and who gives it up then comes too late. One step
 * stays queued, so the GPU does not wait for the host, and nothing is copied.
 *
 * <p>A device that computes at once, or nothing at all, has no lead to keep. A lead belongs to the
 * device's thread.
 */
public final class Lead implements AutoCloseable {
  /** A place in the queue of a device. */
  interface Mark extends AutoCloseable {
    /** Returns when all that was queued before is done. */
    void await();

    @Override
    void close();
  }

  private final Supplier<Mark> queue; // marks its end; null without a queue
  private final Deque<Mark> ahead = new ArrayDeque<>();

  /** The lead over a device. */
  public Lead(TorchDevice device) {
    this(device.cuda() ? () -> new CudaEvent(device) : null);
  }

  Lead(Supplier<Mark> queue) {
    this.queue = queue;
  }

  /** A step is queued: waits until the one before it is done. */
  public void step() {
    if (queue == null) {
      return;
    }
    ahead.add(queue.get());
    if (ahead.size() > 1) {
      try (Mark before = ahead.remove()) {
        before.await();
      }
    }
  }

  @Override
  public void close() {
    ahead.forEach(Mark::close);
    ahead.clear();
  }

  /** A CUDA event at the end of what the current stream has queued. */
  private static final class CudaEvent implements Mark {
    private final DeviceGuardImplInterface cuda = torch.getDeviceGuardImpl(torch.DeviceType.CUDA);
    private final byte device;
    private final PointerPointer<Pointer> event =
        Scope.own(new PointerPointer<Pointer>(1).put(0, null));

    CudaEvent(TorchDevice device) {
      this.device = (byte) device.index();
      try (Scope scope = Scope.open()) {
        Device torchDevice = device.torch();
        // Makes the event where there is none yet.
        cuda.record(event, cuda.getStream(torchDevice), this.device, EventFlag.PYTORCH_DEFAULT);
      }
    }

    @Override
    public void await() {
      cuda.synchronizeEvent(event.get(0));
    }

    @Override
    public void close() {
      cuda.destroyEvent(event.get(0), device);
      event.close();
    }
  }
}
