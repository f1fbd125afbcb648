package io.bitloom.common.trace;

import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.Collection;
import java.util.concurrent.atomic.LongAdder;

/** Counts what the receiver took and what it did not. */
final class CountedExporter implements SpanExporter {

  private final SpanExporter receiver;
  private final LongAdder exported = new LongAdder();
  private final LongAdder lost = new LongAdder();

  CountedExporter(SpanExporter receiver) {
    this.receiver = receiver;
  }

  long exported() {
    return exported.sum();
  }

  long lost() {
    return lost.sum();
  }

  @Override
  public CompletableResultCode export(Collection<SpanData> spans) {
    int count = spans.size();
    CompletableResultCode result = receiver.export(spans);
    result.whenComplete(() -> (result.isSuccess() ? exported : lost).add(count));
    return result;
  }

  @Override
  public CompletableResultCode flush() {
    return receiver.flush();
  }

  @Override
  public CompletableResultCode shutdown() {
    return receiver.shutdown();
  }
}
