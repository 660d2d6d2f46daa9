package import OakumAPI
package import OakumModel
package import Outbound

/// The control plane of another process, over its control socket.
package struct RemoteControlPlane: ControlPlane {
    private let socket: ControlSocket

    /// A look into a heap takes up to twenty.
    private static let lookSeconds = 25.0

    /// - Parameters:
    ///   - socketPath: `STATE/oakum.sock`.
    ///   - timeoutSeconds: for each call as a whole.
    package init(
        socketPath: String, client: OutboundClient = OutboundClient(maxConcurrent: 4), timeoutSeconds: Double = 10
    ) {
        socket = ControlSocket(path: socketPath, client: client, timeoutSeconds: timeoutSeconds)
    }

    package func overview() async throws(ControlError) -> Overview {
        try await socket.call("GET", "/api/v1/overview")
    }

    package func history(_ query: HistoryQuery) async throws(ControlError) -> History {
        let service = PercentEncoding.encode(query.service)
        return try await socket.call(
            "GET", "/api/v1/history?service=\(service)&seconds=\(query.seconds)&points=\(query.points)")
    }

    package func events(_ query: EventQuery) async throws(ControlError) -> [EventRecord] {
        let after = query.after.map { "&after=\($0)" } ?? ""
        return try await socket.call("GET", "/api/v1/events?limit=\(query.limit)\(after)")
    }

    package func perform(_ command: ControlCommand) async throws(ControlError) -> CommandOutcome {
        // An artefact is checked and unpacked before the answer.
        let seconds = if case .deploy = command { 600.0 } else { 0.0 }
        return try await socket.call(
            "POST", "/api/v1/commands", body: try ControlSocket.body(command), seconds: seconds)
    }

    package func releases(of service: String) async throws(ControlError) -> ReleaseList {
        try await socket.call("GET", "/api/v1/releases?service=\(PercentEncoding.encode(service))")
    }

    package func heap(_ query: HeapQuery) async throws(ControlError) -> HeapView {
        try await socket.call("GET", "/api/v1/heap?\(query.parameters)", seconds: Self.lookSeconds)
    }

    package func heapFile(_ query: HeapQuery, as form: HeapFileForm) async throws(ControlError) -> [UInt8] {
        try await socket.send("GET", "/api/v1/heap.\(form.rawValue)?\(query.parameters)", seconds: Self.lookSeconds)
    }
}
