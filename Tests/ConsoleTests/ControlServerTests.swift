import Foundation
import OakumAPI
import OakumHTTP
import OakumRemote
import OakumTestKit
import ServiceLifecycle
import Synchronization
import Testing

extension RunningServers {
    @Suite(.timeLimit(.minutes(10)))
    struct ControlServerTests {
        @Test func `the socket is for its owner alone`() async throws {
            try await withControlServer(FakeControlPlane()) { path, _ in
                let attributes = try FileManager.default.attributesOfItem(atPath: path)
                #expect(attributes[.posixPermissions] as? Int == 0o600)
                #expect(attributes[.type] as? FileAttributeType == .typeSocket)
            }
        }

        @Test func `the socket is gone after a clean end`() async throws {
            try await withTemporaryFolder { folder in
                let path = folder.file("oakum.sock")
                try await withRunning { (bound: @escaping @Sendable (Bool) -> Void) in
                    ControlServer(
                        socketPath: path, controlPlane: FakeControlPlane(), logger: quiet, onBound: { bound(true) })
                } _: { _, _ in
                    #expect(access(path, F_OK) == 0)
                }
                #expect(access(path, F_OK) != 0)
            }
        }

        @Test func `the kernel's word on the peer decides, before any request is read`() async throws {
            let asked = Mutex<[UInt32]>([])
            let fake = FakeControlPlane()
            try await withControlServer(
                fake,
                admits: { uid in
                    asked.withLock { $0.append(uid) }
                    return false
                }
            ) { path, _ in
                let plane = RemoteControlPlane(socketPath: path, timeoutSeconds: 40)
                await #expect(throws: ControlError.self) { try await plane.perform(.down) }
                let connection = try RawConnection(path: path)
                let answer = try await connection.readToEnd()
                #expect(answer.hasPrefix("HTTP/1.1 403 Forbidden\r\n"))
                #expect(answer.contains(#""code":"forbidden""#))
            }
            #expect(asked.withLock { $0 } == [geteuid(), geteuid()])
            #expect(fake.commands.isEmpty)
        }

        @Test func `a second oakum on the same folder is refused, and the first goes on`() async throws {
            try await withControlServer(FakeControlPlane()) { path, _ in
                let second = ControlServer(socketPath: path, controlPlane: FakeControlPlane(), logger: quiet)
                await #expect {
                    try await second.run()
                } throws: { error in
                    guard case .alreadyRunning(let text)? = error as? ListenError else { return false }
                    return text.contains(path)
                }
                _ = try await RemoteControlPlane(socketPath: path, timeoutSeconds: 40).overview()
            }
        }

        @Test func `the socket of a dead process is replaced`() async throws {
            try await withTemporaryFolder { folder in
                let path = folder.file("oakum.sock")
                try leaveDeadSocket(path)
                try await withRunning { (bound: @escaping @Sendable (Bool) -> Void) in
                    ControlServer(
                        socketPath: path, controlPlane: FakeControlPlane(), logger: quiet, onBound: { bound(true) })
                } _: { _, _ in
                    _ = try await RemoteControlPlane(socketPath: path, timeoutSeconds: 40).overview()
                }
            }
        }

        @Test func `a file that is no socket is left alone`() async throws {
            try await withTemporaryFolder { folder in
                let path = folder.file("oakum.sock")
                close(open(path, O_CREAT | O_WRONLY, 0o644))
                let server = ControlServer(socketPath: path, controlPlane: FakeControlPlane(), logger: quiet)
                await #expect(throws: ListenError.cannotListen("\(path) exists and is not a socket: move it away")) {
                    try await server.run()
                }
                #expect(access(path, F_OK) == 0)
            }
        }

        @Test(arguments: ["/tmp/" + String(repeating: "x", count: 120), "/nonexistent-folder/oakum.sock"])
        func `an impossible path is explained`(_ path: String) async throws {
            let server = ControlServer(socketPath: path, controlPlane: FakeControlPlane(), logger: quiet)
            await #expect(throws: ListenError.self) { try await server.run() }
        }

        @Test func `garbage, slow and oversized requests harm nobody`() async throws {
            try await withControlServer(FakeControlPlane()) { path, _ in
                let garbage = try RawConnection(path: path)
                garbage.send([0x16, 0x03, 0x01, 0x00, 0xFF] + Array(repeating: 0x80, count: 2000))
                let garbageAnswer = try await garbage.readToEnd()
                #expect(garbageAnswer.hasPrefix("HTTP/1.1 400 "))
                let slow = try RawConnection(path: path)
                slow.send("POST /api/v1/commands HTTP/1.1\r\nHost: l\r\nContent-Le")
                let announced = try RawConnection(path: path)
                announced.send("POST /api/v1/commands HTTP/1.1\r\nHost: l\r\nContent-Length: 10485760\r\n\r\n")
                announced.send([UInt8](repeating: 0x20, count: 100_000))
                let announcedAnswer = try await announced.readToEnd()
                #expect(announcedAnswer.hasPrefix("HTTP/1.1 413 "))
                let head = try RawConnection(path: path)
                head.send("GET / HTTP/1.1\r\nX: " + String(repeating: "h", count: 60_000))
                let headAnswer = try await head.readToEnd()
                #expect(headAnswer.hasPrefix("HTTP/1.1 4"))
                _ = try await RemoteControlPlane(socketPath: path, timeoutSeconds: 40).overview()
            }
        }

        @Test func `an endless chunked body is refused and cut`() async throws {
            try await withControlServer(FakeControlPlane()) { path, _ in
                let connection = try RawConnection(path: path)
                connection.send("POST /api/v1/commands HTTP/1.1\r\nHost: l\r\nTransfer-Encoding: chunked\r\n\r\n")
                let chunk = Array("10000\r\n".utf8) + [UInt8](repeating: 0x20, count: 0x10000) + Array("\r\n".utf8)
                try await eventually("the server hangs up", holds: { connection.send(chunk) < 0 })
                _ = try await RemoteControlPlane(socketPath: path, timeoutSeconds: 40).overview()
            }
        }

        @Test func `a malformed command is explained`() async throws {
            try await withControlServer(FakeControlPlane()) { path, _ in
                let connection = try RawConnection(path: path)
                connection.send(
                    "POST /api/v1/commands HTTP/1.1\r\nHost: l\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{]")
                let answer = try await connection.readToEnd()
                #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
                #expect(answer.contains("application/problem+json"))
                #expect(answer.contains(#""code":"invalid""#))
            }
        }

        /// A socket file whose process is gone, as after SIGKILL.
        private func leaveDeadSocket(_ path: String) throws {
            let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(listener) }
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            guard result == 0 else { throw TestKitError("cannot bind \(path)") }
        }
    }
}
