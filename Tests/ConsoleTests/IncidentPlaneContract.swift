import Glibc
import OakumAPI
import OakumHTTP
import OakumModel
import OakumRemote
import Synchronization
import Testing

extension RunningServers {
    /// What every incident plane does alike; run on the fake itself and on the fake seen through server and socket.
    @Suite(.timeLimit(.minutes(10)))
    struct IncidentPlaneContract {
        enum Kind: CaseIterable { case direct, remote }

        private func check(
            _ kind: Kind, _ fake: FakeIncidentPlane = FakeIncidentPlane(IncidentSamples.state()),
            _ body: (any IncidentPlane) async throws -> Void
        ) async throws {
            switch kind {
            case .direct: try await body(fake)
            case .remote:
                try await withControlServer(FakeControlPlane(), parts: ResponseParts(incidents: fake)) { path, _ in
                    try await body(RemoteIncidentPlane(socketPath: path, timeoutSeconds: 40))
                }
            }
        }

        @Test(arguments: Kind.allCases)
        func `incidents arrive as they are, the newest first, filtered and paged`(_ kind: Kind) async throws {
            let fake = FakeIncidentPlane(IncidentSamples.state())
            let all = fake.state.withLock { [$0.incidents[2]?.incident, $0.incidents[1]?.incident].compactMap { $0 } }
            try await check(kind, fake) { plane in
                let seen1 = try await plane.incidents(IncidentQuery())
                #expect(seen1 == all)
                let seen2 = try await plane.incidents(IncidentQuery(states: [.resolved]))
                #expect(seen2.map(\.id) == [1])
                let seen3 = try await plane.incidents(IncidentQuery(states: [.open, .resolved]))
                #expect(seen3.map(\.id) == [2, 1])
                let seen4 = try await plane.incidents(IncidentQuery(service: "registrar"))
                #expect(seen4.map(\.id) == [2])
                let seen5 = try await plane.incidents(IncidentQuery(service: "a&b=ü"))
                #expect(seen5.isEmpty)
                let seen6 = try await plane.incidents(IncidentQuery(before: 2))
                #expect(seen6.map(\.id) == [1])
                let seen7 = try await plane.incidents(IncidentQuery(limit: 1))
                #expect(seen7.map(\.id) == [2])
            }
        }

        @Test(arguments: Kind.allCases)
        func `one incident arrives whole`(_ kind: Kind) async throws {
            let fake = FakeIncidentPlane(IncidentSamples.state())
            let whole = fake.state.withLock { $0.incidents[2] }
            try await check(kind, fake) { plane in
                let seen8 = try await plane.incident(2)
                #expect(seen8 == whole)
                await #expect(throws: ControlError.notFound("there is no incident #99")) {
                    try await plane.incident(99)
                }
                let onCall = try await plane.onCall()
                #expect(onCall == fake.state.withLock { $0.onCall })
            }
        }

        @Test(arguments: Kind.allCases)
        func `every act arrives as it is`(_ kind: Kind) async throws {
            let fake = FakeIncidentPlane(IncidentSamples.state())
            let acts: [IncidentAct] = [
                .open(title: "sign-ups stall", service: "registrar", severity: .error, details: "since \"10:00\"\n<b>"),
                .open(title: "odd", service: nil, severity: .info, details: nil), .acknowledge(2),
                .note(2, "looking at it 🦀"), .silence(2, seconds: 3_600, reason: "known"), .endSilence(1),
                .check(person: nil), .check(person: "ada"), .deploy(service: "registrar", text: "1.4.3"),
                .resolve(2, "patched"), .resolve(3, nil),
            ]
            try await check(kind, fake) { plane in
                for act in acts {
                    let outcome = try await plane.act(act, by: "ada")
                    #expect(outcome.changed, "\(act)")
                    #expect(!outcome.message.isEmpty)
                }
            }
            #expect(fake.acts.map(\.act) == acts)
        }

        @Test(arguments: Kind.allCases)
        func `doing the same again changes nothing, and what cannot be done says so`(_ kind: Kind) async throws {
            try await check(kind) { plane in
                let seen9 = try await plane.act(.acknowledge(2), by: "ada")
                #expect(seen9.changed)
                let seen10 = try await plane.act(.acknowledge(2), by: "ada")
                #expect(seen10.changed == false)
                let seen11 = try await plane.act(.check(person: nil), by: "ada")
                #expect(seen11.pages == ["page-1"])
                await #expect(throws: ControlError.notFound("there is no incident #7")) {
                    try await plane.act(.resolve(7, nil), by: "ada")
                }
                await #expect(throws: ControlError.notFound("there is no person bob; there is ada")) {
                    try await plane.act(.check(person: "bob"), by: "ada")
                }
            }
        }

        @Test(arguments: Kind.allCases)
        func `failures keep their case and their words`(_ kind: Kind) async throws {
            let failures: [ControlError] = [
                .notRunning("a"), .refused("c"), .forbidden("d"), .invalid("e"), .failed("f"),
            ]
            let fake = FakeIncidentPlane()
            try await check(kind, fake) { plane in
                for failure in failures {
                    fake.change { $0.failure = failure }
                    await #expect(throws: failure) { try await plane.incidents(IncidentQuery()) }
                    await #expect(throws: failure) { try await plane.act(.acknowledge(1), by: "ada") }
                    await #expect(throws: failure) { try await plane.onCall() }
                }
            }
        }

        @Test func `without incidents the routes say that they are not configured`() async throws {
            try await withControlServer(FakeControlPlane()) { path, _ in
                let plane = RemoteIncidentPlane(socketPath: path, timeoutSeconds: 40)
                await #expect {
                    try await plane.incidents(IncidentQuery())
                } throws: { "\($0)".contains("not configured") }
                await #expect {
                    try await plane.act(.acknowledge(1), by: "ada")
                } throws: { "\($0)".contains("not configured") }
            }
        }

        @Test func `over the socket acts are told under the name of the user at its other end`() async throws {
            let fake = FakeIncidentPlane(IncidentSamples.state())
            let audit = RecordedAudit()
            try await withControlServer(
                FakeControlPlane(), parts: ResponseParts(incidents: fake, audit: audit)
            ) { path, _ in
                let plane = RemoteIncidentPlane(socketPath: path, timeoutSeconds: 40)
                _ = try await plane.act(.acknowledge(2), by: "somebody else")
                await #expect(throws: ControlError.self) { try await plane.act(.resolve(77, nil), by: "x") }
            }
            let own = String(cString: getpwuid(geteuid()).pointee.pw_name)
            #expect(fake.acts.map(\.by) == [own])
            #expect(audit.entries.map(\.what) == ["incident.acknowledge", "incident.resolve"])
            #expect(audit.entries.map(\.who) == [own, own])
            #expect(audit.entries.map(\.result) == [.done, .refused])
            #expect(audit.entries.map(\.object) == ["2", "77"])
            #expect(audit.entries.allSatisfy { $0.from == "uid \(geteuid())" && $0.via == "socket" })
        }
    }
}
