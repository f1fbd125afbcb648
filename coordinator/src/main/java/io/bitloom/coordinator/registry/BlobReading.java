package io.bitloom.coordinator.registry;

import com.google.protobuf.UnsafeByteOperations;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.jobs.ResponseSink;
import io.bitloom.coordinator.models.ModelVersions;
import io.bitloom.coordinator.results.BlobStore;
import io.bitloom.v1.ModelFile;
import io.bitloom.v1.ReadBlobRequest;
import io.bitloom.v1.ReadBlobResponse;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.Executor;

/** A file on its way to somebody who reads it; never more of it is in memory than is taken. */
final class BlobReading {

  private static final int PIECE_BYTES = 256 << 10;
  private static final int AHEAD_BYTES = 1 << 20;

  private final BlobStore blobs;
  private final ReadBlobRequest request;
  private final ResponseSink<ReadBlobResponse> sink;
  private final Executor threads;
  private InputStream file; // guarded by this; null until it is open
  private boolean ended; // guarded by this

  BlobReading(
      BlobStore blobs,
      ReadBlobRequest request,
      ResponseSink<ReadBlobResponse> sink,
      Executor threads) {
    this.blobs = blobs;
    this.request = request;
    this.sink = sink;
    this.threads = threads;
  }

  void start(ModelVersions versions) {
    sink.readyBelow(AHEAD_BYTES);
    sink.onEnd(() -> threads.execute(this::close));
    sink.onReady(() -> threads.execute(this::pump));
    versions
        .manifest(request.getVersion())
        .thenApply(manifest -> BlobUpload.file(manifest, request.getVersion(), request.getSha256()))
        .whenCompleteAsync(
            (found, error) -> {
              if (error == null) {
                open(found);
              } else {
                sink.fail(error);
              }
            },
            threads);
  }

  private void open(ModelFile found) {
    try {
      if (request.getOffset() < 0 || request.getOffset() > found.getSizeBytes()) {
        throw BitloomException.invalid(
            "offset", request.getOffset(), "must be 0 to " + found.getSizeBytes());
      }
      InputStream opened = blobs.read(found.getSha256(), request.getOffset());
      synchronized (this) {
        file = opened;
      }
      pump();
    } catch (RuntimeException e) {
      sink.fail(e);
    }
  }

  private synchronized void pump() {
    try {
      while (file != null && !ended && sink.isReady()) {
        byte[] piece = file.readNBytes(PIECE_BYTES);
        if (piece.length == 0) {
          close();
          sink.complete();
        } else {
          sink.send(
              ReadBlobResponse.newBuilder()
                  .setData(UnsafeByteOperations.unsafeWrap(piece))
                  .build());
        }
      }
    } catch (IOException | RuntimeException e) {
      close();
      sink.fail(
          new BitloomException(
              ErrorCode.RESULT_STORE_UNAVAILABLE, "cannot read " + request.getSha256(), e));
    }
  }

  private synchronized void close() {
    ended = true;
    if (file != null) {
      try {
        file.close();
      } catch (IOException e) {
        // It was only read.
      }
      file = null;
    }
  }
}
