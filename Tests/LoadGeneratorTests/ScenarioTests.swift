import LoadGenerator
import OakumTestKit
import StrictYAML
import Testing

struct ScenarioTests {
    static let good = """
        name: visitors
        target: http://127.0.0.1:8080
        seed: 7
        timeout: 5s
        keys: {pool: 100}
        headers: {user-agent: test, x-token: "${token}"}
        variables:
          token: {env: TOKEN}
          colour: [red, green]
          city: {file: cities.txt}
        prepare:
          - {post: /login, body: '{"n": ${index}}', times: 3, extract: {session: {json: session.token}}}
        load:
          - {rate: 10/s, to: 100/s, for: 10s}
          - {rate: 100/s, for: 1min}
        flows:
          - name: browse
            weight: 3
            pause: {from: 100ms, to: 200ms}
            requests:
              - get: /list?c=${colour}
                expect: {status: [2xx, 404], json: {items.0.ok: true}, header: {content-type: json}}
                extract: {id: {json: items.0.id}, next: {between: ['href="', '"']}}
              - {name: show, get: "/i/${id}?s=${session}", pause: 0s}
        requests:
          - {name: sign-up, post: /signup, body: '{"e": "${fresh}@x"}', weight: 1, expect: {status: 201}}
        thresholds: [p99 < 200ms, p50 of show < 1s, errors < 0.1%]
        """

    private func read(_ text: String) throws(YAMLProblem) -> LoadScenario {
        try LoadScenarioReader(
            environment: { $0 == "TOKEN" ? "secret" : nil }, file: { $0 == "cities.txt" ? "Oslo\nRome\n" : nil }
        ).read(text)
    }

    @Test func `a scenario is read as it is meant`() throws {
        let scenario = try read(Self.good)
        #expect(scenario.name == "visitors")
        #expect(scenario.targets == [LoadTarget(port: 8080)])
        #expect(scenario.keys == .pool(100))
        #expect(scenario.flows.map(\.weight) == [1, 3])
        #expect(scenario.flows[0].request.expectedStatuses == [201])
        #expect(scenario.flows[1].requests.map(\.name) == ["GET /list?c=${colour}", "show"])
        #expect(scenario.flows[1].request.expectedStatuses.count == 101)
        #expect(scenario.flows[1].request.checks.count == 2)
        #expect(scenario.flows[1].followUps[0].pauseSeconds == 0...0)
        #expect(scenario.flows[1].variables.map(\.values.count) == [1, 2, 2])
        #expect(scenario.preparation.map(\.count) == [3])
        #expect(scenario.thresholds.count == 3)
        #expect(scenario.loop == .open)
        #expect(scenario.loadInWords == "open loop, 10/s to 100/s in 10 s, then 100/s for 60 s")
        let plan = scenario.plan(seed: 1, freshSalt: 2)
        #expect(plan.problem == nil)
        #expect(plan.seed == 7)
        #expect(plan.steps.map(\.seconds) == [10, 60])
        #expect(plan.steps[0].perSecond == [2.5, 7.5])
        #expect(plan.steps[0].perSecondAtEnd == [25, 75])
        #expect(scenario.corpus.endpoints.map(\.requests.count) == [1, 2])
    }

    @Test func `users make a closed loop with a connection each`() throws {
        let scenario = try read(
            "target: unix:/run/a.sock\nload: [{users: 0, to: 500, for: 10s}, {users: 500, for: 1h}]\nrequests: [{get: /}]"
        )
        #expect(scenario.loop == .closed)
        let plan = scenario.plan(seed: 1, freshSalt: 2)
        #expect(plan.connections.limit == 500)
        #expect(plan.problem == nil)
        #expect(plan.targets == [LoadTarget(socketPath: "/run/a.sock")])
    }

    private static let mistakes: [(String, String)] = [
        ("reqests: []", "line 1: unknown key `reqests` in the scenario (did you mean `requests`?)"),
        ("requests: [{get: nowhere}]", "must begin with /"),
        ("requests: [{get: /a b}]", "no spaces"),
        ("requests: [{get: \"/${a\"}]", "${ without its }"),
        ("requests: [{get: \"/${a-b}\"}]", "cannot be a variable"),
        ("requests: [{get: \"/${nobody}\"}]", "which no preparation captures"),
        ("requests: []", "no requests"),
        ("target: https://x\nrequests: [{get: /}]", "line 1: TLS is not spoken here"),
        ("target: http://x:99999\nrequests: [{get: /}]", "1–65535"),
        ("target: http://x/y\nrequests: [{get: /}]", "paths belong to the requests"),
        ("load: [{rate: 1/s, for: 1s}, {users: 3, for: 1s}]\nrequests: [{get: /}]", "cannot be mixed"),
        ("load: {rate: quick, for: 1s}\nrequests: [{get: /}]", "must be a rate"),
        ("load: {rate: 1/s, for: 30}\nrequests: [{get: /}]", "must be a time"),
        ("thresholds: [p99 200ms]\nrequests: [{get: /}]", "has no < or >"),
        ("thresholds: [p99 of b < 1s]\nrequests: [{name: a, get: /}]", "line 1: there is no request `b`"),
        ("variables: {a: {env: NO}}\nrequests: [{get: /}]", "the environment has no NO"),
        ("variables: {a: {file: no}}\nrequests: [{get: /}]", "cannot be read"),
        ("variables: {key: a}\nrequests: [{get: /}]", "cannot be a variable"),
        ("requests: [{get: /, expect: {status: 99}}]", "within 200–599"),
        ("requests: [{get: /, extract: {a: {between: [b]}}}]", "needs two texts"),
        ("requests: [{get: /, headers: {a: \"b\\nc\"}}]", "single line"),
        ("requests: [{get: /, weight: 0}]", "must be within"),
        ("requests:\n  - get: /\n   bad", "not YAML"),
    ]

    @Test(arguments: mistakes.indices)
    func `a mistake is named with its line`(number: Int) {
        let (text, expected) = Self.mistakes[number]
        do throws(YAMLProblem) {
            _ = try read(text)
            Issue.record("\(text) was taken")
        } catch {
            #expect("\(error)".contains(expected), "\(error)")
        }
    }

    @Test func `a secret of the environment is in no message`() {
        let text = Self.good.replacing("errors < 0.1%", with: "p99 of nobody < 1s")
        do throws(YAMLProblem) {
            _ = try read(text)
            Issue.record("it was taken")
        } catch {
            #expect(!"\(error)".contains("secret"))
        }
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `whatever stands in a scenario, it is read or refused`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var bytes = Array(Self.good.utf8)
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes.remove(at: place)
            case 1: bytes.insert(UInt8.random(in: 9...126, using: &random), at: place)
            case 2: bytes[place] = Array("{}[]:,-'\"$#&*%\n\t 0".utf8).randomElement(using: &random) ?? 0
            default:
                let end = min(place + Int.random(in: 1...40, using: &random), bytes.count)
                bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0..<bytes.count, using: &random))
            }
        }
        do throws(YAMLProblem) {
            let scenario = try read(String(decoding: bytes, as: UTF8.self))
            // What is taken can be made a plan of, or says why not.
            _ = scenario.plan(seed: 1, freshSalt: 1).problem
        } catch {
            #expect(!error.message.isEmpty)
        }
    }

    @Test func `addresses are read`() throws {
        #expect(try LoadAddress(parsing: "http://localhost:81/a?b=c#d").path == "/a?b=c")
        #expect(try LoadAddress(parsing: "[::1]:81").target == LoadTarget(host: "::1", port: 81))
        #expect(try LoadAddress(parsing: "http://h?x").path == "/?x")
        #expect(try LoadAddress(parsing: "unix:/run/a.sock:/status").path == "/status")
        #expect(try LoadAddress(parsing: "unix:@a").target.socketPath == "@a")
        for bad in ["", "http://", "http://a b", "http://u@h/", "unix:a", "http://h:x/", "https://h/"] {
            #expect(throws: LoadAddress.Failure.self) { try LoadAddress(parsing: bad) }
        }
    }
}
