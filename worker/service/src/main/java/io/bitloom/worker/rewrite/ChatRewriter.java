package io.bitloom.worker.rewrite;

import io.bitloom.engine.PromptRewriter;
import io.bitloom.engine.Rewriting;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.timelimiter.TimeLimiter;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has a language model rewrite prompts. It never fails: a prompt that was not rewritten in time, or
 * at all, is drawn as it is. After repeated failures the endpoint is left alone for a while.
 *
 * <p>The endpoint is the only address that is spoken to: redirects are not followed.
 */
public final class ChatRewriter implements PromptRewriter {
  private static final Logger log = LoggerFactory.getLogger(ChatRewriter.class);

  private static final int REQUESTS_AT_A_TIME = 8;
  private static final int MAX_ANSWER_BYTES = 256 << 10;
  private static final int MAX_REASON = 200;
  private static final int REMEMBERED = 4096;
  private static final int OK = 200;

  private final PromptRewriterConfig config;
  private final MeterRegistry registry;
  private final HttpClient client;
  private final TimeLimiter limit;
  private final CircuitBreaker circuit;
  private final ExecutorService threads;
  private volatile boolean closed;
  private final Map<String, String> remembered =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, String> eldest) {
          return size() > REMEMBERED;
        }
      };

  /** A rewriter; nothing is sent before the first prompt. */
  public ChatRewriter(PromptRewriterConfig config, MeterRegistry registry) {
    this.config = config;
    this.registry = registry;
    this.client =
        HttpClient.newBuilder()
            .followRedirects(Redirect.NEVER)
            .connectTimeout(config.timeout())
            .build();
    this.limit = TimeLimiter.of(config.timeout());
    this.circuit =
        CircuitBreaker.of(
            "prompt-rewriter",
            CircuitBreakerConfig.custom()
                .slidingWindowSize(10)
                .minimumNumberOfCalls(5)
                .waitDurationInOpenState(Duration.ofSeconds(30))
                .permittedNumberOfCallsInHalfOpenState(2)
                .build());
    this.threads =
        Executors.newFixedThreadPool(
            REQUESTS_AT_A_TIME,
            task -> {
              Thread thread = new Thread(task, "prompt-rewriter");
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Rewrites a prompt; the same one is asked for once. */
  @Override
  public CompletableFuture<Rewriting> rewrite(String prompt) {
    return CompletableFuture.supplyAsync(() -> rewritten(prompt), threads)
        .exceptionally(failure -> failed(prompt, "an internal error of the worker", failure));
  }

  private Rewriting rewritten(String prompt) {
    String known = known(prompt);
    if (known != null) {
      count("known");
      return new Rewriting(known, config.model(), "");
    }
    try {
      String text = circuit.executeCallable(() -> ask(prompt));
      remember(prompt, text);
      count("rewritten");
      return new Rewriting(text, config.model(), "");
    } catch (CallNotPermittedException pause) {
      count("paused");
      return new Rewriting(prompt, "", "the endpoint has failed before and is left alone");
    } catch (Exception failure) {
      return failed(prompt, reason(failure), failure);
    }
  }

  private String ask(String prompt) throws Exception {
    if (closed) {
      throw new IOException("the worker is stopping");
    }
    HttpRequest.Builder request =
        HttpRequest.newBuilder(config.endpoint())
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(ChatCompletion.question(config, prompt)));
    config.apiKey().ifPresent(key -> request.header("Authorization", "Bearer " + key));
    HttpResponse<byte[]> response =
        limit.executeFutureSupplier(
            () -> client.sendAsync(request.build(), head -> new BoundedBody(MAX_ANSWER_BYTES)));
    if (response.statusCode() != OK) {
      throw new IOException("the endpoint answers with status " + response.statusCode());
    }
    return ChatCompletion.text(response.body());
  }

  private String reason(Throwable failure) {
    Throwable cause = failure instanceof ExecutionException ? failure.getCause() : failure;
    String reason;
    if (cause instanceof TimeoutException) {
      reason = "no answer within " + config.timeout().toMillis() + " ms";
    } else if (cause instanceof ConnectException) {
      reason = "the endpoint cannot be reached";
    } else {
      reason = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }
    return reason.substring(0, Math.min(reason.length(), MAX_REASON));
  }

  private Rewriting failed(String prompt, String reason, Throwable failure) {
    count("failed");
    log.warn("A prompt is drawn as it is, {} did not rewrite it: {}", config, reason);
    log.debug("A prompt was not rewritten", failure);
    return new Rewriting(prompt, "", reason);
  }

  private String known(String prompt) {
    synchronized (remembered) {
      return remembered.get(prompt);
    }
  }

  private void remember(String prompt, String text) {
    synchronized (remembered) {
      remembered.put(prompt, text);
    }
  }

  private void count(String result) {
    Counter.builder("bitloom.worker.rewrites")
        .description("Prompts by what the prompt rewriter made of them")
        .tag("result", result)
        .register(registry)
        .increment();
  }

  @Override
  public void close() {
    closed = true;
    threads.shutdown();
  }
}
