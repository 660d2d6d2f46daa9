import Foundation
import LoadGenerator
import OakumTestKit
import StrictYAML
import Testing

@testable import DrillRunner

/// A small good document; the numbers of its lines stand in the table below.
let goodDocument = """
    # A drill
    text before

    ```drill
    scenario: little
    service:
      name: leaker
      build:
        fault: [fixture-leaker]
        patched: [fixture-leaker, --ignore, "{{folder}}"]
      own_port: [--listen, "127.0.0.1:{{port}}"]
      environment: {MODE: test}
      workers: 2
      memory_budget: 48MiB
      ready: {path: /healthz, within: 5s}
    fault:
      name: hoard
      bytes: 256KiB
    load:
      seed: 5
      timeout: 2s
      connections: 20
      think: {from: 10ms, to: 50ms}
      prepare:
        - {name: login, method: POST, path: /login, body: '{"n": {{index}}}', times: 2, capture: {session: token}}
      requests:
        - name: check
          per_second: 40
          path: /check
          headers: {authorization: "Bearer {{session}}"}
          expect: [200]
    arms: {control: 3s, protected: 1s, patched: 1s}
    recycle: {at_percent: 80}
    expect: {requests_at_least: 10, detected_within: 30s}
    then:
      - {what: an alert, at: 0min, now: detected}
      - {what: it is over, at: 60min}
    ```
    text after
    """

struct DocumentTests {
    @Test(arguments: ["cpu-bound-deploy", "traffic-surge", "slow-dependency", "disk-full"])
    func `the innocent twins are read, with one arm`(name: String) throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let document = try DrillDocumentReader.load("/\(root)/examples/drills/twins/\(name).md")
        #expect(document.scenario == name && !document.expectations.leak)
        #expect(document.arms.control == nil && document.arms.patched == nil && document.arms.protected <= 180)
        #expect(document.expectations.firstCause == name.replacingOccurrences(of: "-", with: "_"))
        #expect((document.fault == nil) == (name == "traffic-surge"))
        #expect((document.deployAtSeconds == nil) == (name != "cpu-bound-deploy"))
        #expect((document.volume == nil) == (name != "disk-full"))
        let steps = document.load.plan(targets: [], seconds: 100).steps
        #expect(steps.count == (name == "traffic-surge" ? 2 : 1) && steps.map(\.seconds).reduce(0, +) == 100)
    }

    @Test func `a good document is read whole`() throws {
        let document = try DrillDocumentReader.parse(goodDocument)
        #expect(document.scenario == "little")
        #expect(document.service.faultBuild == DrillProgram(words: ["fixture-leaker"], line: 9))
        #expect(document.service.budgetBytes == 48 << 20)
        #expect(document.service.readyPath == "/healthz")
        #expect(document.fault == DrillFault(name: "hoard", bytes: 262_144, line: 17))
        #expect(document.fault?.arguments == ["--fault", "hoard", "--fault-bytes", "262144"])
        #expect(document.load.seed == 5)
        #expect(document.load.perSecond == [40])
        #expect(document.load.connections.thinkSeconds == 0.01...0.05)
        #expect(document.load.preparation[0].request.headers.map(\.name) == ["content-type"])
        #expect(document.arms == DrillArms(control: 3, protected: 1, patched: 1))
        #expect(document.recycle.map(\.key) == ["at_percent"])
        #expect(document.expectations.requestsAtLeast == 10)
        #expect(document.then.map(\.now) == [.detected, nil])
        #expect(document.then[1].atSeconds == 3_600)
    }

    @Test func `the shipped drill is read, with incident A's times`() throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let document = try DrillDocumentReader.load("/\(root)/examples/drills/registration-leak.md")
        #expect(document.scenario == "registration-leak")
        #expect(document.fault?.name == "verification-context")
        #expect(document.fault?.bytes == 65_536)
        #expect(document.load.perSecond == [25, 350])
        #expect(document.then.map(\.atSeconds) == [0, 0, 900, 1_800, 2_700, 3_600])
        let seconds = (document.arms.control ?? 0) + document.arms.protected + (document.arms.patched ?? 0)
        #expect(seconds < 200)
        #expect(document.arms.protected * 375 > Double(document.expectations.requestsAtLeast))
    }

    /// Text to replace, replacement, line of the problem, and a part of its message or hint.
    static let mistakes: [(String, String, Int, String)] = [
        ("scenario: little", "scenrio: little", 5, "did you mean `scenario`?"),
        ("scenario: little", "scenario: Little One", 5, "a–z, 0–9 and -"),
        ("scenario: little", "#", 6, "`scenario` is missing"),
        ("  workers: 2", "  worker: 2", 13, "did you mean `workers`?"),
        ("  workers: 2", "  workers: two", 13, "must be a whole number, not `two`"),
        ("  workers: 2", "  workers: 0", 13, "within 1–64"),
        ("48MiB", "48MB", 14, "such as 256MiB"),
        ("48MiB", "48", 14, "write a number and a unit"),
        ("48MiB", "1KiB", 14, "at least 1MiB"),
        ("within: 5s", "within: 5", 15, "such as 30s"),
        ("path: /healthz", "path: healthz", 15, "must begin with /"),
        ("name: leaker", "name: Leaker!", 7, "cannot be the name of a service"),
        ("fault: [fixture-leaker]", "fault: []", 9, "is empty"),
        ("{{folder}}", "{{home}}", 10, "{{folder}}"),
        ("127.0.0.1:{{port}}", "127.0.0.1:80", 11, "must hold {{port}}"),
        ("127.0.0.1:{{port}}", "127.0.0.1:{{prt}}", 11, "{{folder}}, {{port}}, {{worker}}"),
        ("MODE: test", "LISTEN_FDS: 3", 12, "cannot be set"),
        ("  name: hoard", "  name: --hoard", 17, "cannot be the name of a fault"),
        ("bytes: 256KiB", "bytes: lots", 18, "such as 256MiB"),
        ("connections: 20", "connections: 0", 22, "within 1–100000"),
        ("from: 10ms", "from: 1s", 23, "swap `from` and `to`"),
        ("times: 2,", "", 25, "`times` is missing"),
        ("capture: {session: token}", "capture: {index: token}", 25, "choose another name"),
        ("{{index}}", "{{index", 25, "without its }}"),
        ("per_second: 40", "per_second: -1", 28, "within 0.0–1000000.0"),
        ("per_second: 40", "#", 27, "`per_second` is missing"),
        ("path: /check", "path: check", 29, "must begin with /"),
        ("expect: [200]", "expect: 200", 31, "must be a list"),
        ("Bearer {{session}}", "Bearer {{ticket}}", 20, "no preparation captures"),
        ("to: 50ms", "to: 9s", 20, "think less"),
        ("control: 3s", "control: 3", 32, "such as 30s"),
        ("protected: 1s, ", "", 32, "`protected` is missing"),
        ("at_percent: 80", "at_percent: 5", 33, "within 10.0–100.0"),
        ("at_percent: 80", "percent: 80", 33, "known keys"),
        ("now: detected", "now: discovered", 36, "leak_onset, impact_onset, detected"),
        ("at: 60min", "at: later", 37, "such as 30s"),
        ("- {what: it", "- {what: [it", 37, "not YAML"),
        ("    ```\n    text", "    text", 0, "close it with ```"),
        ("```drill", "```yaml", 0, "no ```drill block"),
        ("text before", "```drill\n```", 5, "a second ```drill block"),
    ]

    @Test(arguments: mistakes.indices)
    func `a mistake is told with its line and what to do`(number: Int) throws {
        let (old, new, line, part) = Self.mistakes[number]
        let text = number == Self.mistakes.count - 3 ? withoutEnd() : replaced(old, new)
        do throws(YAMLProblem) {
            _ = try DrillDocumentReader.parse(text)
            Issue.record("accepted \(new)")
        } catch {
            #expect(error.description.contains(part), "\(error)")
            #expect(error.line == line, "\(error)")
        }
    }

    private func replaced(_ old: String, _ new: String) -> String {
        guard let range = goodDocument.firstRange(of: old) else { return "\(old) is not in the document" }
        return goodDocument.replacingOccurrences(of: old, with: new, range: range)
    }

    private func withoutEnd() -> String {
        goodDocument.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { $0 != "```" }.joined(separator: "\n")
    }

    @Test func `a missing file is told with what to try`() {
        do throws(DrillDocumentError) {
            _ = try DrillDocumentReader.load("/nowhere/drill.md")
            Issue.record("read a file that is not there")
        } catch {
            #expect(error.description.contains("/nowhere/drill.md, there is no such file"))
            #expect(error.description.contains("examples/drills"))
        }
    }

    @Test func `broken documents are refused within their lines, never crash`() async throws {
        let lines = goodDocument.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let noise = ["{", "]", ":", "\t", "'", "{{", "&a", "\u{0}", "🦭"]
        try await forAll(seeds: 400) { random in
            var broken = lines
            for _ in 0...random.int(0...2) {
                let place = random.int(0...broken.count - 1)
                switch random.int(0...3) {
                case 0: broken.remove(at: place)
                case 1: broken.insert(broken[random.int(0...broken.count - 1)], at: place)
                case 2: broken[place] = String(broken[place].shuffled(using: &random))
                default: broken[place] += noise[random.int(0...noise.count - 1)]
                }
            }
            do throws(YAMLProblem) {
                let document = try DrillDocumentReader.parse(broken.joined(separator: "\n"))
                #expect(document.service.workers >= 1)
            } catch {
                #expect((0...broken.count + 1).contains(error.line), "\(error)")
                #expect(!error.message.isEmpty)
            }
        }
    }
}
