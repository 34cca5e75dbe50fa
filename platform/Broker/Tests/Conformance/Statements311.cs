namespace Althing.Tests.Broker.Conformance;

/// <summary>
/// The normative statements of MQTT 3.1.1 by their identifiers, each with a few words of ours and, where no test can show it here, the reason.
/// </summary>
static class Statements311
{
    /// <summary>How many statements each section has.</summary>
    public static readonly (string Section, int Count)[] Sections =
    [
        ("1.5.3", 3), ("2.2.2", 2), ("2.3.1", 7), ("3.1.0", 2), ("3.1.2", 24), ("3.1.3", 11), ("3.1.4", 5), ("3.2.0", 1), ("3.2.2", 6), ("3.3.1", 12),
        ("3.3.2", 3), ("3.3.4", 1), ("3.3.5", 2), ("3.6.1", 1), ("3.8.1", 1), ("3.8.3", 4), ("3.8.4", 6), ("3.9.3", 2), ("3.10.1", 1), ("3.10.3", 2),
        ("3.10.4", 6), ("3.12.4", 1), ("3.14.1", 1), ("3.14.4", 3), ("4.1.0", 2), ("4.3.1", 1), ("4.3.2", 2), ("4.3.3", 2), ("4.4.0", 1), ("4.5.0", 2),
        ("4.6.0", 6), ("4.7.1", 3), ("4.7.2", 1), ("4.7.3", 4), ("4.8.0", 2), ("6.0.0", 4), ("7.0.0", 2), ("7.1.1", 1), ("7.1.2", 1),
    ];

    public const string Table = """
        1.5.3-1 | ill-formed UTF-8 closes
        1.5.3-2 | U+0000 closes
        1.5.3-3 | U+FEFF is a character like others
        2.2.2-1 | reserved flags have their value
        2.2.2-2 | wrong flags close
        2.3.1-1 | identifiers are not zero
        2.3.1-2 | new packets of a client have unused identifiers | client
        2.3.1-3 | a client repeats a packet under its identifier | client
        2.3.1-4 | the server's identifiers follow the same rules
        2.3.1-5 | QoS 0 has no identifier
        2.3.1-6 | acknowledgements have the identifier of their PUBLISH
        2.3.1-7 | SUBACK and UNSUBACK have the identifier of what they answer
        3.1.0-1 | CONNECT comes first
        3.1.0-2 | a second CONNECT closes
        3.1.2-1 | another protocol name may be refused
        3.1.2-2 | another level is answered with code 1
        3.1.2-3 | the reserved flag is 0
        3.1.2-4 | a session is resumed when the client wants it
        3.1.2-5 | what comes meanwhile is kept for it
        3.1.2-6 | a clean session begins anew
        3.1.2-7 | retained messages outlive sessions
        3.1.2-8 | the will is published when the connection breaks
        3.1.2-9 | a will flag needs a will
        3.1.2-10 | a will is published once, and not after DISCONNECT
        3.1.2-11 | no will flag, no other will flags
        3.1.2-12 | no will flag, no will published
        3.1.2-13 | no will flag, will QoS 0
        3.1.2-14 | the will's QoS is not 3
        3.1.2-15 | no will flag, will retain 0
        3.1.2-16 | a will that is not to be retained is not
        3.1.2-17 | a will that is to be retained is
        3.1.2-18 | no user name flag, no user name
        3.1.2-19 | a user name flag needs a user name
        3.1.2-20 | no password flag, no password
        3.1.2-21 | a password flag needs a password
        3.1.2-22 | a password needs a user name
        3.1.2-23 | a client pings in time | client
        3.1.2-24 | silence of one and a half keep-alives closes
        3.1.3-1 | the payload's fields stand in order
        3.1.3-2 | the client id names the session
        3.1.3-3 | the client id comes first
        3.1.3-4 | the client id is UTF-8
        3.1.3-5 | plain client ids are allowed
        3.1.3-6 | an empty client id is replaced by a new one
        3.1.3-7 | an empty client id needs a clean session
        3.1.3-8 | else it is answered with code 2
        3.1.3-9 | a client id that is refused is answered with code 2
        3.1.3-10 | the will topic is UTF-8
        3.1.3-11 | the user name is UTF-8
        3.1.4-1 | a malformed CONNECT is closed without CONNACK
        3.1.4-2 | a second client of an id ends the first
        3.1.4-3 | clean session is acted upon
        3.1.4-4 | CONNACK 0 answers
        3.1.4-5 | nothing is taken after a refused CONNECT
        3.2.0-1 | the server's first packet is CONNACK
        3.2.2-1 | a clean session is not present
        3.2.2-2 | a kept session is present
        3.2.2-3 | a session that is not there is not present
        3.2.2-4 | a refusal has no session present
        3.2.2-5 | a refusal is followed by the close
        3.2.2-6 | what has no code is a close
        3.3.1-1 | a message sent again is marked
        3.3.1-2 | QoS 0 is never marked
        3.3.1-3 | the mark is not passed on
        3.3.1-4 | QoS 3 closes
        3.3.1-5 | a retained message is stored with its QoS
        3.3.1-6 | a new subscription gets it
        3.3.1-7 | one of QoS 0 replaces the one before
        3.3.1-8 | it comes with the flag to new subscriptions
        3.3.1-9 | and without to established ones
        3.3.1-10 | an empty one removes it
        3.3.1-11 | an empty one is not stored
        3.3.1-12 | what is not to be retained changes nothing
        3.3.2-1 | the topic comes first and is UTF-8
        3.3.2-2 | the topic has no wildcards
        3.3.2-3 | the topic matches the subscription
        3.3.4-1 | each QoS has its answer
        3.3.5-1 | overlapping subscriptions bring the greatest QoS
        3.3.5-2 | a publish not allowed is acknowledged or closes
        3.6.1-1 | PUBREL's flags are 2
        3.8.1-1 | SUBSCRIBE's flags are 2
        3.8.3-1 | filters are UTF-8
        3.8.3-2 | wildcards are supported, or refused
        3.8.3-3 | there is a filter
        3.8.3-4 | reserved bits are 0 and QoS at most 2
        3.8.4-1 | SUBACK answers
        3.8.4-2 | with the same identifier
        3.8.4-3 | the same filter replaces and brings retained messages again
        3.8.4-4 | many filters are as many packets
        3.8.4-5 | a code for each filter
        3.8.4-6 | QoS of messages is the lesser one
        3.9.3-1 | codes in order of the filters
        3.9.3-2 | no other codes than those there are
        3.10.1-1 | UNSUBSCRIBE's flags are 2
        3.10.3-1 | filters are UTF-8
        3.10.3-2 | there is a filter
        3.10.4-1 | filters are compared character by character
        3.10.4-2 | no new messages after it
        3.10.4-3 | what was begun is ended
        3.10.4-4 | UNSUBACK answers with the identifier
        3.10.4-5 | even when nothing was removed
        3.10.4-6 | many filters are as many packets
        3.12.4-1 | PINGREQ is answered
        3.14.1-1 | DISCONNECT's flags are 0
        3.14.4-1 | after DISCONNECT the connection is closed
        3.14.4-2 | and nothing more is sent
        3.14.4-3 | the will is thrown away
        4.1.0-1 | state is kept as long as the session
        4.1.0-2 | a session lasts at least as long as its connection
        4.3.1-1 | QoS 0 is sent as such
        4.3.2-1 | QoS 1 is sent, kept and acknowledged
        4.3.2-2 | an acknowledged QoS 1 identifier is free
        4.3.3-1 | QoS 2 is sent in its steps
        4.3.3-2 | QoS 2 is received in its steps
        4.4.0-1 | after a reconnect what is not acknowledged goes again
        4.5.0-1 | messages join the sessions that match
        4.5.0-2 | a client acknowledges what it gets | client
        4.6.0-1 | messages go again in their order
        4.6.0-2 | PUBACK in order of PUBLISH
        4.6.0-3 | PUBREC in order of PUBLISH | The statement is of clients; one queue in the connection keeps the broker's in order too.
        4.6.0-4 | PUBREL in order of PUBREC | The statement is of clients; the same queue keeps the broker's in order.
        4.6.0-5 | topics are ordered
        4.6.0-6 | messages come in the order they were sent
        4.7.1-1 | no wildcards in topics
        4.7.1-2 | # is alone and last
        4.7.1-3 | + is alone in its level
        4.7.2-1 | wildcards in front leave $ alone
        4.7.3-1 | topics are not empty
        4.7.3-2 | topics have no null
        4.7.3-3 | topics of up to 65535 bytes
        4.7.3-4 | topics are not normalized
        4.8.0-1 | a violation closes its connection
        4.8.0-2 | a transient error closes its connection alone
        6.0.0-1 | WebSocket frames are binary
        6.0.0-2 | packets need not fit frames
        6.0.0-3 | a client offers the sub-protocol mqtt | client
        6.0.0-4 | the server answers mqtt
        7.0.0-1 | a server that connects to servers is both | The broker opens no connections of its own.
        7.0.0-2 | no extension is needed | mosquitto, Paho and the AWS device SDKs work unchanged, which tests/Clients shows.
        7.1.1-1 | an ordered, lossless stream is served
        7.1.2-1 | clients use such a stream | client
        """;
}
