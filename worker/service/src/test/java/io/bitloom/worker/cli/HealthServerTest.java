package io.bitloom.worker.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HealthServerTest {

  @ParameterizedTest
  @CsvSource({"127.0.0.1:1, 200", "localhost, 200", "10.0.0.7:80, 200", "evil.example:1, 403"})
  void aPageWhoseNameWasLedHereReadsNothing(String host, String status) throws IOException {
    PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    try (HealthServer server = HealthServer.start("127.0.0.1", 0, () -> true, metrics);
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      String request = "GET /metrics HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(status, answer.split(" ")[1], answer);
    }
  }

  @Test
  void listensWhereItIsTold() throws IOException {
    PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    try (HealthServer server = HealthServer.start("127.0.0.2", 0, () -> true, metrics)) {
      new Socket("127.0.0.2", server.port()).close();
      assertThrows(IOException.class, () -> new Socket("127.0.0.1", server.port()).close());
    }
  }
}
