package io.bitloom.common.trace;

import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.Collection;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts what the receiver took and what it did not, and says so ever more rarely. */
final class CountedExporter implements SpanExporter {

  private static final Logger log = LoggerFactory.getLogger(CountedExporter.class);

  private final SpanExporter receiver;
  private final AtomicInteger failuresInARow = new AtomicInteger();
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
    result.whenComplete(() -> ended(count, result.isSuccess()));
    return result;
  }

  private void ended(int count, boolean taken) {
    (taken ? exported : lost).add(count);
    int failures = taken ? failuresInARow.getAndSet(0) : failuresInARow.incrementAndGet();
    if (taken && failures > 0) {
      log.info("Spans are taken again");
    } else if (!taken && Integer.bitCount(failures) == 1) {
      log.warn("{} spans are lost: the OTLP receiver is away or refuses them", count);
    }
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
