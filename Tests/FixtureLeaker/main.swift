// A little service that tests of the drill start: HTTP/1.1 on a port of its own, and a fault that keeps memory for
// ever.
//
//   fixture-leaker --listen 127.0.0.1:PORT [--fault hoard [--fault-bytes N]] [--die-after N] [--ignore TEXT]
//   fixture-leaker --list-faults
//
// Answers 200 with {"status":"ok","token":"t"} to everything. With the fault each request leaves N bytes (1 MiB)
// behind.
import Glibc

struct Options {
    var port: UInt16 = 0
    var leaksBytes = 0
    var diesAfter = Int.max

    init(_ arguments: [String]) {
        var rest = arguments[...]
        var bytes = 1 << 20
        var leaks = false
        while let name = rest.popFirst() {
            if name == "--list-faults" {
                say("hoard\tkeeps what every request brings")
                exit(0)
            }
            guard let value = rest.popFirst() else { refuse("\(name) needs a value") }
            switch name {
            case "--listen": port = UInt16(value.split(separator: ":").last ?? "") ?? 0
            case "--fault": leaks = value == "hoard"
            case "--fault-bytes": bytes = Int(value) ?? bytes
            case "--die-after": diesAfter = Int(value) ?? diesAfter
            case "--ignore": break
            default: refuse("unknown option \(name)")
            }
        }
        leaksBytes = leaks ? bytes : 0
    }
}

func say(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    _ = write(STDOUT_FILENO, bytes, bytes.count)
}

func refuse(_ why: String) -> Never {
    say("fixture-leaker: \(why)")
    exit(2)
}

func listenSocket(_ port: UInt16) -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
    let bound = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard bound == 0, listen(descriptor, 512) == 0 else { refuse("cannot listen on port \(port): errno \(errno)") }
    return descriptor
}

let options = Options(Array(CommandLine.arguments.dropFirst()))
let body = #"{"status":"ok","token":"t"}"#
let answer = Array("HTTP/1.1 200 OK\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
var hoard: [[UInt8]] = []
var served = 0
var waits = [pollfd(fd: listenSocket(options.port), events: Int16(POLLIN), revents: 0)]
var buffer = [UInt8](repeating: 0, count: 65_536)
signal(SIGPIPE, SIG_IGN)
while poll(&waits, nfds_t(waits.count), -1) > 0 || errno == EINTR {
    if waits[0].revents != 0 {
        let connection = accept(waits[0].fd, nil, nil)
        if connection >= 0 { waits.append(pollfd(fd: connection, events: Int16(POLLIN), revents: 0)) }
    }
    for place in waits.indices.dropFirst() where waits[place].revents != 0 {
        // The drill's requests are small: one read holds one whole request.
        guard read(waits[place].fd, &buffer, buffer.count) > 0 else {
            close(waits[place].fd)
            waits[place].fd = -1
            continue
        }
        if options.leaksBytes > 0 { hoard.append([UInt8](repeating: 1, count: options.leaksBytes)) }
        _ = write(waits[place].fd, answer, answer.count)
        served += 1
        if served >= options.diesAfter { refuse("dies as it was told, after \(served) requests") }
    }
    waits.removeAll { $0.fd < 0 }
}
