package io.bitloom.deploy.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What does not fit together is found: a good rendering is broken in one place each time. */
class ChartRulesTest {

  private static List<String> faultsWith(String good, String bad) {
    String text = Chart.text(Chart.combinations().get("keda"));
    assertTrue(text.contains(good), () -> good + " is not in\n" + text);
    return ChartRules.faults(Manifests.parse(text.replace(good, bad)));
  }

  @Test
  void aGoodRenderingHasNoFaults() {
    assertEquals(List.of(), faultsWith("kind: Service\n", "kind: Service\n"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          readOnlyRootFilesystem: true   | readOnlyRootFilesystem: false  | may write to its root
          runAsNonRoot: true             | runAsNonRoot: false            | may run as root
          allowPrivilegeEscalation: false | allowPrivilegeEscalation: true | may get more rights
          type: RuntimeDefault           | type: Unconfined               | has no seccomp profile
          - ALL                          | - NET_RAW                      | has capabilities
          enableServiceLinks: false      | enableServiceLinks: true       | has variables of Services
          automountServiceAccountToken: false | automountServiceAccountToken: true | has a token
          port: http, scheme: HTTPS      | port: web, scheme: HTTPS       | at a port that it does not declare
          - port: 6379                   | - port: 6380                   | there is no port 6380
          targetPort: grpc               | targetPort: rpc                | its pods have no port
          secretName: "existing-tls"     | secretName: "tls"              | which nobody was told to make
          serviceAccountName: "pictures-bitloom-worker" | serviceAccountName: "other" | which is not there
          mountPath: /tmp                | mountPath: /cache              | is mounted twice
          emptyDir: {}                   | hostPath: {path: /}            | sees its node's files
          scalerAddress: "pictures-bitloom.studio.svc:7700" | scalerAddress: "pictures.studio.svc:7700" | where nobody listens
          replicas: 2                    | replicas: 1                    | the only pod there is
          """)
  void aFaultIsFound(String good, String bad, String fault) {
    List<String> faults = faultsWith(good, bad);
    assertTrue(faults.stream().anyMatch(it -> it.contains(fault)), faults::toString);
  }
}
