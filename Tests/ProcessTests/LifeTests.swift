import Foundation
import OakumAPI
import OakumModel
import OakumRemote
import OakumTestKit
import Outbound
import Spawning
import Testing

/// The life of a real `oakum up`: starts, deaths, hand-overs.
@Suite(.serialized, .tags(.realProcess), .timeLimit(.minutes(10)))
struct LifeTests {
    @Test func `up starts workers that serve a sign-up, and down leaves nothing behind`() async throws {
        try await withOakum { oakum in
            _ = try await oakum.allServing()
            let answer = try await request("POST", oakum.service + "/v1/signup", json: signUp(1))
            #expect(answer.status == 201 || answer.status == 202)
            let down = try await run("oakum", ["down", "--state", oakum.state])
            #expect(down.code == 0, "\(down.output)")
            let exit = try await oakum.process.waitForExit()
            #expect(exit == .code(0))
            #expect(processes(naming: oakum.folder.path) == [])
        }
    }

    @Test func `a worker killed with SIGKILL is replaced and told of`() async throws {
        try await withOakum { oakum in
            let before = try await oakum.allServing()
            let victim = try #require(before.first?.process)
            kill(victim.pid, SIGKILL)
            let event = try await oakum.event("the death") { $0.kind == .workerExited && $0.process == victim }
            #expect(event.message.contains("signal 9"))
            let after = try await oakum.overview("a new process in its place") { overview in
                overview.services[0].workers.filter { $0.phase == .serving && $0.process != victim }.count == 2
            }
            #expect(after.services[0].workers.map(\.number) == before.map(\.number))
        }
    }

    @Test func `SIGKILL of oakum is not noticed by keeper and workers, and the next up carries on`() async throws {
        try await withTemporaryFolder { folder in
            var configuration = TestConfiguration()
            let port = try freePort()
            configuration.listen = "127.0.0.1:\(port)"
            let before = try await withOakum(configuration, in: folder, keepingWorkers: true) { oakum in
                let workers = try await oakum.allServing()
                oakum.process.send(SIGKILL)
                _ = try await oakum.process.waitForExit()
                let answer = try await request("GET", "http://127.0.0.1:\(port)/healthz")
                #expect(answer.status == 200)
                return workers
            }
            try await withOakum(configuration, in: folder) { oakum in
                let after = try await oakum.allServing()
                #expect(after.map(\.process) == before.map(\.process))
                let started = try await oakum.event("the take-over") {
                    $0.kind == .watchStarted && $0.facts["adopted"] == "2"
                }
                #expect(started.message.contains("took over 2"))
                let first = try await oakum.plane.events(EventQuery(after: 0, limit: 10))
                #expect(first.first?.id == 1, "the journal of the first oakum is still there")
                let history = try await oakum.plane.history(HistoryQuery(service: "registrar"))
                #expect(!history.workers.isEmpty)
            }
        }
    }

    @Test func `SIGTERM ends oakum alone`() async throws {
        try await withTemporaryFolder { folder in
            var configuration = TestConfiguration()
            let port = try freePort()
            configuration.listen = "127.0.0.1:\(port)"
            try await withOakum(configuration, in: folder) { oakum in
                _ = try await oakum.allServing()
                oakum.process.send(SIGTERM)
                let exit = try await oakum.process.waitForExit()
                #expect(exit == .code(0))
                let answer = try await request("GET", "http://127.0.0.1:\(port)/healthz")
                #expect(answer.status == 200)
            }
        }
    }

    @Test func `SIGINT stops workers and keeper too`() async throws {
        try await withOakum { oakum in
            _ = try await oakum.allServing()
            oakum.process.send(SIGINT)
            let exit = try await oakum.process.waitForExit(within: .seconds(30))
            #expect(exit == .code(0))
            #expect(processes(naming: oakum.folder.path) == [])
        }
    }

    @Test func `recycle by hand replaces every worker, and pause refuses it`() async throws {
        try await withOakum { oakum in
            let before = try await oakum.allServing()
            let recycle = try await run("oakum", ["recycle", "registrar", "--state", oakum.state])
            #expect(recycle.code == 0, "\(recycle.output)")
            let after = try await oakum.overview("two recycles") { $0.services[0].recycles == 2 }
            #expect(Set(after.services[0].workers.map(\.number)).isDisjoint(with: before.map(\.number)))
            let pause = try await run("oakum", ["pause", "--state", oakum.state])
            #expect(pause.code == 0, "\(pause.output)")
            let refused = try await run("oakum", ["recycle", "registrar", "--state", oakum.state])
            #expect(refused.code == 4)
            #expect(refused.output.contains("pause --off"))
            let unknown = try await run("oakum", ["recycle", "nobody", "--state", oakum.state])
            #expect(unknown.code != 0)
        }
    }

    @Test func `a second up with the same state folder is refused and says what to do`() async throws {
        try await withOakum { oakum in
            let second = try await run("oakum", ["up", "-c", oakum.folder.file("oakum.yaml")])
            #expect(second.code == 1)
            #expect(second.output.contains("another oakum runs"))
            _ = try await oakum.allServing()
        }
    }
}
