package io.bitloom.common.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.config.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServerAddressTest {

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, true",
    "127.9.9.9:1, true",
    "[::1]:7700, true",
    "localhost, true",
    "LOCALHOST:80, true",
    "unix:/run/bitloom.sock, true",
    "192.0.2.7, false",
    "0.0.0.0, false",
    "[2001:db8::7], false",
    "localhost.example, false",
    "127.0.0.1.example, false",
    "coordinator, false"
  })
  void whatIsSentToLoopbackStaysOnThisMachine(String text, boolean local) {
    assertEquals(local, ServerAddress.coordinator("coordinator", text).isLocal());
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1:7700, dns:///127.0.0.1:7700, UNSAID",
    "coordinator, dns:///coordinator:7700, UNSAID",
    "3f2a9c1b7d21:80, dns:///3f2a9c1b7d21:80, UNSAID",
    "a.b-c.example.:1, dns:///a.b-c.example.:1, UNSAID",
    "'  host:65535\n', dns:///host:65535, UNSAID",
    "[::1]:7701, dns:///%5B::1%5D:7701, UNSAID",
    "[2001:db8::7], dns:///%5B2001:db8::7%5D:7700, UNSAID",
    "http://host:7700, dns:///host:7700, PLAIN",
    "HTTP://host:7700/, dns:///host:7700, PLAIN",
    "http://host, dns:///host:80, PLAIN",
    "https://host, dns:///host:443, TLS",
    "https://[::1]:7700/, dns:///%5B::1%5D:7700, TLS",
    "dns:///host:9000, dns:///host:9000, UNSAID",
    "dns:///host, dns:///host:7700, UNSAID",
    "dns:host:9000, dns:///host:9000, UNSAID",
    "unix:/run/bitloom.sock, unix:/run/bitloom.sock, UNSAID",
    "unix:///run/bitloom.sock, unix:/run/bitloom.sock, UNSAID",
    "unix:here.sock, unix:here.sock, UNSAID",
  })
  void whatPeopleWriteIsUnderstood(String text, String target, ServerAddress.Security security) {
    ServerAddress address = ServerAddress.coordinator("coordinator", text);

    assertEquals(target, address.target());
    assertEquals(security, address.security());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|must be an address",
        "'  '|must be an address",
        ":7700|must have a host",
        "7700|must have a host before the port, for example 127.0.0.1:7700",
        "host:|must have a port",
        "host:0|must have a port of 1 to 65535",
        "host:65536|must have a port of 1 to 65535",
        "host:99999999999|must have a port of 1 to 65535",
        "host:port|must be host:port",
        "host:-1|must be host:port",
        "::1|must have its IPv6 address in brackets",
        "fe80::1:7700|must have its IPv6 address in brackets",
        "[::1|must be host:port",
        "[nonsense]:7700|must have an IPv6 address",
        "[fe80::1%eth0]:7700|without a zone",
        "http://host:7700/v1|must end after the port",
        "http://host?x=1|must end after the port",
        "host/path|must end after the port",
        "ftp://host|must begin with http://",
        "xds:///service|must begin with http://",
        "dns://8.8.8.8/host|must not name a DNS server",
        "unix:|must name the socket's file",
        "unix://host/path|must name the socket's file",
        "my_coordinator:7700|without the _",
        "a b:7700|must have a host name",
        "a..b|must have a host name",
        "256.1.1.1:7700|four numbers up to 255",
        "1.2.3:7700|four numbers up to 255",
        "a:1,b:2|must be a single address",
        "héllo:7700|must have a host name",
      })
  void everythingElseIsRefusedByTheNameOfTheSetting(String text, String complaint) {
    ConfigException e =
        assertThrows(
            ConfigException.class, () -> ServerAddress.coordinator("coordinator", text), text);

    assertTrue(e.getMessage().startsWith("coordinator must "), e.getMessage());
    assertTrue(e.getMessage().contains(complaint), e.getMessage());
    assertTrue(e.getMessage().contains("\"" + text.strip()), e.getMessage());
  }

  @Test
  void aPasswordIsNotRepeated() {
    ConfigException e =
        assertThrows(
            ConfigException.class,
            () -> ServerAddress.coordinator("coordinator", "https://me:secret@host"));

    assertFalse(e.getMessage().contains("secret"), e.getMessage());
  }

  @Test
  void aSocketsPathHasToFitIntoItsAddress() {
    String fits = "/" + "x".repeat(106);
    assertEquals(fits, ServerAddress.coordinator("coordinator", "unix:" + fits).socket());
    assertThrows(
        ConfigException.class,
        () -> ServerAddress.coordinator("coordinator", "unix:" + fits + "x"));
  }

  @Test
  void itIsShownAsPeopleWriteIt() {
    assertEquals("host:7700", ServerAddress.coordinator("c", "dns:///host").toString());
    assertEquals("[::1]:7700", ServerAddress.coordinator("c", "[::1]").toString());
    assertEquals("unix:/x", ServerAddress.coordinator("c", "unix:///x").toString());
  }
}
