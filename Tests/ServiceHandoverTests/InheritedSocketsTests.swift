import Glibc
import ServiceHandover
import Testing

@Suite struct InheritedSocketsTests {
    private func read(_ values: [String: String]) throws(HandoverError) -> InheritedSockets? {
        try InheritedSockets(environment: { values[$0] }, processID: 42)
    }

    @Test func `named sockets are told apart`() throws {
        let found = try read(["LISTEN_PID": "42", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "admin:http"])
        #expect(found?.http == [4])
        #expect(found?.admin == 3)
        #expect(found?.unclaimed == [])
    }

    @Test func `a single socket without our name is for requests`() throws {
        #expect(try read(["LISTEN_PID": "42", "LISTEN_FDS": "1"])?.http == [3])
        #expect(try read(["LISTEN_PID": "42", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "web.socket"])?.http == [3])
        let both = try read(["LISTEN_PID": "42", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "admin:web.socket"])
        #expect(both?.http == [4])
        #expect(both?.admin == 3)
    }

    @Test func `several sockets of one name all serve requests`() throws {
        let found = try read(["LISTEN_PID": "42", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "http:http:other"])
        #expect(found?.http == [3, 4])
        #expect(found?.unclaimed == [5])
    }

    @Test func `variables for another process, or none, mean no sockets`() throws {
        #expect(try read([:]) == nil)
        #expect(try read(["LISTEN_PID": "43", "LISTEN_FDS": "1"]) == nil)
        #expect(try read(["LISTEN_PID": "x", "LISTEN_FDS": "1"]) == nil)
        #expect(try read(["LISTEN_FDS": "1"]) == nil)
        #expect(try read(["LISTEN_PID": "42", "LISTEN_FDS": "0"]) == nil)
    }

    @Test(arguments: [
        ["LISTEN_FDS": "-1"], ["LISTEN_FDS": "many"], ["LISTEN_FDS": "65"], ["LISTEN_FDS": "2"],
        ["LISTEN_FDS": "2", "LISTEN_FDNAMES": "http"], ["LISTEN_FDS": "1", "LISTEN_FDNAMES": "admin"],
        ["LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b"],
    ])
    func `what cannot be meant is refused with a hint`(values: [String: String]) {
        #expect(throws: HandoverError.self) {
            try read(values.merging(["LISTEN_PID": "42"]) { first, _ in first })
        }
    }

    @Test func `addresses are read and written in one form`() {
        for text in ["127.0.0.1:8080", "[::1]:80", "localhost:0", "unix:/run/a.sock"] {
            #expect(ListenAddress(text)?.description == text)
        }
        for text in ["", "8080", ":80", "a:b", "a:65536", "::1:80", "unix:", "a:-1", "[]:80"] {
            #expect(ListenAddress(text) == nil, "\(text)")
        }
    }

    @Test func `dates are written as RFC 9110 has them`() {
        #expect(HTTPDate.text(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.text(1_709_164_800) == "Thu, 29 Feb 2024 00:00:00 GMT")
    }
}
