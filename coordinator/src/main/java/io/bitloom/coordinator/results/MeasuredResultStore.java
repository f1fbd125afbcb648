package io.bitloom.coordinator.results;

import com.google.protobuf.ByteString;
import io.bitloom.common.results.DirectAccess;
import io.bitloom.common.results.ImageName;
import io.bitloom.common.results.ImageUpload;
import io.bitloom.common.results.ResultStore;
import io.bitloom.coordinator.telemetry.StoreMetrics;
import java.net.URI;
import java.util.Optional;
import java.util.function.Supplier;

/** A result store of which it is told how long it takes. */
public final class MeasuredResultStore implements ResultStore {

  private final ResultStore store;
  private final StoreMetrics metrics;

  public MeasuredResultStore(ResultStore store, StoreMetrics metrics) {
    this.store = store;
    this.metrics = metrics;
  }

  @Override
  public String put(ImageName name, ByteString image) {
    String path = timed(StoreMetrics.Call.PUT, () -> store.put(name, image));
    metrics.stored(image.size());
    return path;
  }

  @Override
  public ByteString read(String path, ByteString sha256) {
    ByteString image = timed(StoreMetrics.Call.READ, () -> store.read(path, sha256));
    metrics.read(image.size());
    return image;
  }

  @Override
  public void delete(String job) {
    timed(
        StoreMetrics.Call.DELETE,
        () -> {
          store.delete(job);
          return job;
        });
  }

  @Override
  public Optional<DirectAccess> directAccess() {
    return store.directAccess().map(MeasuredAccess::new);
  }

  /** Uploads and downloads are only signed, which takes no time. */
  private final class MeasuredAccess implements DirectAccess {

    private final DirectAccess access;

    MeasuredAccess(DirectAccess access) {
      this.access = access;
    }

    @Override
    public ImageUpload upload(ImageName name, long sizeBytes) {
      return access.upload(name, sizeBytes);
    }

    @Override
    public void confirm(ImageName name, long sizeBytes) {
      timed(
          StoreMetrics.Call.CONFIRM,
          () -> {
            access.confirm(name, sizeBytes);
            return name;
          });
      metrics.stored(sizeBytes);
    }

    @Override
    public URI download(String path) {
      return access.download(path);
    }

    @Override
    public String write(String job, String name, String contentType, Content content) {
      return timed(StoreMetrics.Call.WRITE, () -> access.write(job, name, contentType, content));
    }
  }

  private <T> T timed(StoreMetrics.Call call, Supplier<T> made) {
    long begin = System.nanoTime();
    boolean ok = false;
    try {
      T value = made.get();
      ok = true;
      return value;
    } finally {
      metrics.called(call, System.nanoTime() - begin, ok);
    }
  }
}
