package io.bitloom.coordinator.results;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.file.FileFaults;
import io.bitloom.common.results.DirectAccess;
import io.bitloom.common.results.ImageName;
import io.bitloom.common.results.ImageUpload;
import io.bitloom.common.results.ResultStore;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystemException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A result store that says when it fails. Images that cannot be stored are kept by their workers
 * and tried again, which nobody would notice but by a cluster that stands still.
 */
public final class WatchedResultStore implements ResultStore {

  private static final Logger log = LoggerFactory.getLogger(WatchedResultStore.class);

  /** A failure that the next attempt mends is no trouble. */
  private static final Duration PASSING = Duration.ofSeconds(3);

  /** Since when calls fail and none succeeds, and why. */
  private record Failure(Instant since, String why) {}

  private final ResultStore store;
  private final InstantSource clock;
  private Failure failure; // guarded by this

  public WatchedResultStore(ResultStore store, InstantSource clock) {
    this.store = store;
    this.clock = clock;
  }

  /** Why images cannot be stored or read now, and have not been for some seconds. */
  public synchronized Optional<String> trouble() {
    return Optional.ofNullable(failure)
        .filter(found -> found.since().plus(PASSING).isBefore(clock.instant()))
        .map(Failure::why);
  }

  @Override
  public String put(ImageName name, ByteString image) {
    return watched(() -> store.put(name, image));
  }

  @Override
  public ByteString read(String path, ByteString sha256) {
    return store.read(path, sha256);
  }

  @Override
  public void delete(String job) {
    store.delete(job);
  }

  @Override
  public Optional<DirectAccess> directAccess() {
    return store.directAccess().map(WatchedAccess::new);
  }

  /** Uploads and downloads are only signed, which reaches nobody. */
  private final class WatchedAccess implements DirectAccess {

    private final DirectAccess access;

    WatchedAccess(DirectAccess access) {
      this.access = access;
    }

    @Override
    public ImageUpload upload(ImageName name, long sizeBytes) {
      return access.upload(name, sizeBytes);
    }

    @Override
    public void confirm(ImageName name, long sizeBytes) {
      watched(
          () -> {
            access.confirm(name, sizeBytes);
            return name;
          });
    }

    @Override
    public URI download(String path) {
      return access.download(path);
    }

    @Override
    public String write(String job, String name, String contentType, Content content) {
      return access.write(job, name, contentType, content);
    }
  }

  private <T> T watched(Supplier<T> call) {
    try {
      T result = call.get();
      succeeded();
      return result;
    } catch (BitloomException e) {
      if (e.code() == ErrorCode.RESULT_STORE_UNAVAILABLE) {
        failed(e);
      } else {
        succeeded();
      }
      throw e;
    }
  }

  /** Everybody may ask why nothing goes on, and nobody is told where files are. */
  private static String forEverybody(BitloomException e) {
    return e.getCause() instanceof FileSystemException cause
        ? "cannot store images: " + FileFaults.reason(cause)
        : e.getMessage();
  }

  private synchronized void failed(BitloomException e) {
    if (failure == null) {
      failure = new Failure(clock.instant(), forEverybody(e));
      String file = e.getCause() instanceof IOException cause ? FileFaults.message(cause) : "";
      log.warn("Images cannot be stored, trying again: {} {}", e.getMessage(), file);
    }
  }

  private synchronized void succeeded() {
    if (failure != null) {
      failure = null;
      log.info("Images are stored again");
    }
  }
}
