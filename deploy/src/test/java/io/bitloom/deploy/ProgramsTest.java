package io.bitloom.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.deploy.ProgramContainer.Request;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is wrong with a container is found. */
class ProgramsTest {

  private static final List<Request> PROBE = List.of(new Request(7701, "/health/live", false));

  private static List<String> coordinator(Map<String, String> variables, String... arguments) {
    return Programs.faults(
        new ProgramContainer(
            "bitloom-coordinator",
            List.of(arguments),
            variables,
            Set.of(7700, 7701),
            PROBE,
            Map.of()));
  }

  private static List<String> worker(Map<String, String> variables, String... arguments) {
    return Programs.faults(
        new ProgramContainer(
            "bitloom-worker",
            List.of(arguments),
            variables,
            Set.of(7702),
            List.of(new Request(7702, "/metrics", false)),
            Map.of()));
  }

  @Test
  void whatIsRightHasNoFault() {
    assertEquals(
        List.of(),
        coordinator(
            Map.of("BITLOOM_REDIS", "redis://:$(PW)@redis:6379", "PW", Programs.SECRET),
            "--bind=0.0.0.0",
            "--insecure"));
    assertEquals(
        List.of(),
        worker(
            Map.of("BITLOOM_TOKEN", Programs.SECRET),
            "--coordinator=https://bitloom:7700",
            "--tls-ca=/tls/ca.crt",
            "--http-port=7702",
            "--http-bind=0.0.0.0"));
  }

  @Test
  void anArgumentGoesBeforeAVariableInOneWordOrTwo() {
    assertEquals(
        List.of(),
        worker(
            Map.of("BITLOOM_WORKER_HTTP_PORT", "1", "BITLOOM_MODEL", "demo"),
            "--http-port",
            "7702",
            "--http-bind=0.0.0.0",
            "--model",
            "untrained"));
  }

  @Test
  void anOptionThatThereIsNotIsFound() {
    assertEquals(
        List.of("bitloom-coordinator: bitloom coordinator: there is no option --colour=red"),
        coordinator(Map.of(), "--bind=0.0.0.0", "--insecure", "--colour=red"));
    assertEquals(
        List.of("bitloom-worker: there is no option --colour=red"),
        worker(Map.of(), "--http-port=7702", "--http-bind=0.0.0.0", "--colour=red"));
  }

  @Test
  void aVariableThatNobodyReadsIsFound() {
    assertEquals(
        List.of("bitloom-coordinator: does not read the variable BITLOOM_COLOUR"),
        coordinator(Map.of("BITLOOM_COLOUR", "red"), "--bind=0.0.0.0", "--insecure"));
    assertEquals(
        List.of("bitloom-worker: does not read the variable BITLOOM_REDIS"),
        worker(
            Map.of("BITLOOM_REDIS", "redis://redis"), "--http-port=7702", "--http-bind=0.0.0.0"));
  }

  @Test
  void aValueThatTheProgramRefusesIsFound() {
    assertEquals(
        List.of(
            "bitloom-coordinator: bitloom coordinator: --lease-duration must be a duration such as"
                + " 250ms, 1.5s, 10m or 2h, not \"soon\""),
        coordinator(Map.of("BITLOOM_LEASE_DURATION", "soon"), "--bind=0.0.0.0", "--insecure"));
    assertEquals(
        List.of(
            "bitloom-coordinator: bitloom coordinator: --bind must be a loopback address, unless there"
                + " is --tenants or --insecure, not \"0.0.0.0\""),
        coordinator(Map.of(), "--bind=0.0.0.0"));
  }

  @Test
  void aTokenThatWouldCrossTheNetworkInPlainTextIsFound() {
    assertEquals(
        1,
        worker(
                Map.of("BITLOOM_TOKEN", Programs.SECRET),
                "--coordinator=bitloom:7700",
                "--http-port=7702",
                "--http-bind=0.0.0.0")
            .size());
  }

  @Test
  void aPortWhereNobodyListensIsFound() {
    assertEquals(
        List.of(
            "bitloom-coordinator: does not listen on port 7701",
            "bitloom-coordinator: listens on port 8080, which is not said",
            "bitloom-coordinator: has nothing at port 7701, /health/live"),
        coordinator(Map.of(), "--bind=0.0.0.0", "--insecure", "--http-port=8080"));
    assertEquals(
        List.of("bitloom-worker: listens on 127.0.0.1, where nobody else comes"),
        worker(Map.of(), "--http-port=7702"));
  }

  @Test
  void aPathThatThereIsNotIsFound() {
    assertEquals(
        List.of(
            "bitloom-coordinator: has nothing at port 7701, /healthz",
            "bitloom-coordinator: speaks HTTP, unlike Request[port=7701, path=/healthz,"
                + " secured=true]"),
        Programs.faults(
            new ProgramContainer(
                "bitloom-coordinator",
                List.of("--bind=0.0.0.0", "--insecure"),
                Map.of(),
                Set.of(7700, 7701),
                List.of(new Request(7701, "/healthz", true)),
                Map.of())));
  }

  @Test
  void aCommandThatThereIsNotIsFound() {
    assertEquals(
        List.of("bitloom-client: there is no command \"dance\""),
        Programs.faults(
            new ProgramContainer(
                "bitloom-client", List.of("dance"), Map.of(), Set.of(), List.of(), Map.of())));
  }

  @Test
  void anotherImageIsFound() {
    assertEquals(
        List.of("nginx: is none of Bitloom's images"),
        Programs.faults(
            new ProgramContainer("nginx", List.of(), Map.of(), Set.of(), List.of(), Map.of())));
  }
}
